"""What engines really tell: their `/metrics`, captured from pinned versions, one file an engine and version."""
