"""Using databases through a client and its pool of connections."""
