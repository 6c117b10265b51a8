"""Live checks against running engines: the incident drill behind obs demo."""
