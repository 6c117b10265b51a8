"""Answering gRPC calls."""
