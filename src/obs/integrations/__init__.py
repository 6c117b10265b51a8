"""One framework a file, imported only when it is used."""
