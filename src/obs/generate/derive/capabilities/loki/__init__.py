"""Loki as a service of its own: requests that fail, lines that it refuses."""
