"""Alertmanager as a service of its own: whether what it is told reaches people."""
