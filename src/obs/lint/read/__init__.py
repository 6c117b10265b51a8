"""Readers: files of any origin -> frozen values with places; what is broken becomes a problem."""
