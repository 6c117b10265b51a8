"""Exceptions that nobody handled, by the place where they surfaced."""

from __future__ import annotations

from obs.catalogue.signal import Counter, Label

MECHANISMS = ("main", "thread", "asyncio", "unraisable", "http", "rpc", "job", "task", "manual")
MECHANISM = Label("mechanism", "Where it surfaced.", MECHANISMS)

UNHANDLED = Counter(
    id="exceptions.unhandled",
    metric="exceptions_unhandled_total",
    help="Exceptions that no code of the service handled.",
    unit="{exception}",
    labels=(MECHANISM,),
)

SIGNALS = (UNHANDLED,)
