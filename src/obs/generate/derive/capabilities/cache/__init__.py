"""Using caches."""
