"""Tempo as a service of its own: spans that it refuses."""
