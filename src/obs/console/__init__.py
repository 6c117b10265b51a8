"""The on-call web page: runbooks served as HTML on loopback."""
