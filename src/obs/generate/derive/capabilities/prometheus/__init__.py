"""Prometheus as a service of its own: rules, configuration, the way to Alertmanager."""
