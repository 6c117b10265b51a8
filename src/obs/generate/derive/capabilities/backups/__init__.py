"""Backups: that they are made, and that something is in them."""
