"""Running an event loop."""
