"""Security: what an attack looks like in numbers."""
