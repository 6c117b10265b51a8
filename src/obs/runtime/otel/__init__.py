"""The only door to OpenTelemetry."""
