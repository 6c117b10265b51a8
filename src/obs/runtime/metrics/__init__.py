"""The only door to prometheus_client."""
