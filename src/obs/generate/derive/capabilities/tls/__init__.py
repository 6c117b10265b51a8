"""Certificates, as a probe from outside sees them."""
