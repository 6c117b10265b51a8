"""The command line: presentation only, one command a file, its room imported inside the command."""
