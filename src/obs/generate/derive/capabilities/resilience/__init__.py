"""Guarding calls to others by circuit breakers and retries."""
