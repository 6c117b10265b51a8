"""Certificates of the TLS overlay: an authority of the stack's own, and one certificate a server."""
