"""Answering HTTP requests, and calling others over HTTP."""
