"""Artefacts against a directory: what differs, whose a file is, and the only writer of the generator."""
