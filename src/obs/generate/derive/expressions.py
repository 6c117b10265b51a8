"""Pieces of PromQL that several alerts share, with the reason for their form."""

from __future__ import annotations

from obs.generate.derive.vocabulary import BY
from obs.generate.model import Duration

#: A series that was not there for this long is new; shorter holes are scrapes that failed.
_HOLE = "1h"
#: After an outage of Prometheus of up to this long, the events of the meantime still count.
_OUTAGE = "30m"


def events(selector: str, window: Duration, up: str = "") -> str:
    """Return what a counter counted in `window`, for each series, its first event included.

    `increase` alone sees nothing of a counter that is born at 1, so a series that did not exist
    before the window counts with its whole value. With `up`, the selector of the service's targets,
    it does so only where the service was scraped before the window: a Prometheus that starts without
    a past would otherwise take what a counter gathered in its lifetime for what happened just now.
    """
    newborn = f"({selector} unless last_over_time({selector}[{_HOLE}] offset {window}))"
    if up:
        newborn = f"({newborn} and on ({BY}) last_over_time({up}[{_HOLE}] offset {window}))"
    return f"({newborn} or increase({selector}[{window}]))"


def total(expr: str, *labels: str) -> str:
    """Return the sum for each service and environment, and for each of `labels`."""
    return f"sum by ({', '.join([BY, *labels])}) ({expr})"


def share_of_bad(bad: str, every: str, floor: int, threshold: str) -> str:
    """Return the alert condition "more than `threshold` of the events are bad".

    The floor is on bad events: a floor on all events would keep silent when a quiet service fails
    every request.
    """
    return f"({bad} >= {floor}) / {every} > {threshold}"


def arrivals(selector: str, up: str) -> str:
    """Return the events of the last minute for each series, exact; evaluate it once a minute.

    Differences telescope: summed over any time they are the true count, while `increase` scales
    what it saw. A reset counts from zero. A new series counts in full, provided that the service was
    being scraped before it appeared; otherwise a restarted Prometheus would count a lifetime at once.
    """
    before = f"last_over_time({selector}[{_OUTAGE}] offset 1m)"
    known = f"last_over_time({up}[{_OUTAGE}] offset 1m)"
    return f"(({selector} - {before} >= 0) or ({selector} and on ({BY}) {known}))"
