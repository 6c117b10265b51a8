"""The OpenTelemetry Collector as a service of its own: what it refuses, holds and loses."""
