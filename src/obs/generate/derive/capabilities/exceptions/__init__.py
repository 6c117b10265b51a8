"""Failing outside of any request, job or task."""
