"""What only a server can tell."""

from __future__ import annotations

from typing import Protocol


class Live(Protocol):
    """A Prometheus that can be asked."""

    @property
    def url(self) -> str:
        """Its address."""
