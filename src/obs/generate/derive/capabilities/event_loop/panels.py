"""Panels of the event loop."""

from __future__ import annotations

from obs.catalogue.event_loop import LAG
from obs.generate.derive.graphs import series
from obs.generate.derive.guidance.queries import Queries
from obs.generate.model import Row


def row(ask: Queries) -> Row:
    """Return how late the event loop is."""
    return Row(
        "Event loop",
        (
            series("event-loop-lag", "Lag", "How late the event loop comes to work that is ready, by instance.", "s",
                   f"max by (instance) ({ask.series(LAG)})", "{{instance}}"),
        ),
    )  # fmt: skip
