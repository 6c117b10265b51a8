"""Indexers of block chains: behind the head, standing still, undone by a reorganisation."""
