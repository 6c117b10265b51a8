"""The alerts of a service, one file a domain; each author brings expression, words and sample stories."""
