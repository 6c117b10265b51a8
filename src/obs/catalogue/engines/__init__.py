"""What the engines of the stack tell about themselves, one file an engine; captured from their `/metrics`."""
