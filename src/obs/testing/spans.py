"""A span as a test sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class CapturedSpan:
    """A span that has ended, redacted as it would be exported."""

    name: str
    #: internal, server, client, producer or consumer.
    kind: str
    trace_id: str
    span_id: str
    #: Empty for the first span of a trace.
    parent_id: str
    #: unset, ok or error, with its description.
    status: str
    description: str
    attributes: Mapping[str, Any] = field(default_factory=dict)
    #: Name and attributes of each event.
    events: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    #: Seconds on the test's clock.
    started: float = 0.0
    duration: float = 0.0
    #: The library that made it; obs for our own.
    scope: str = ""

    def fields(self) -> dict[str, Any]:
        """Return what an assertion compares: the attributes, and kind, status and description beside them."""
        own = {"kind": self.kind, "status": self.status, "description": self.description}
        return {**own, "name": self.name, **self.attributes}
