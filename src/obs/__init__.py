"""Observability for Python services: metrics, traces, JSON logs and error reports under one id."""
