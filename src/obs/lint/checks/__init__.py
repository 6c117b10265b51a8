"""One check a file; each exports `CHECK` and has a page docs/reference/lint/<id>.md."""
