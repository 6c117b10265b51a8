"""Panels of Loki itself."""

from __future__ import annotations

from obs.catalogue.engines.loki import (
    LINES_DISCARDED,
    LINES_RECEIVED,
    REASON,
    REQUEST_DURATION,
    REQUESTS,
    ROUTE,
    STATUS_CODE,
)
from obs.generate.derive.graphs import RATE, legend, series
from obs.generate.derive.guidance.queries import Queries
from obs.generate.model import Row


def row(ask: Queries) -> Row:
    """What Loki takes, refuses and answers."""
    route, reason = ask.label(REQUESTS, ROUTE.name), ask.label(LINES_DISCARDED, REASON.name)
    every = f"sum by ({route}) (rate({ask.series(REQUESTS)}[{RATE}]))"
    failed = f"sum by ({route}) (rate({ask.series(REQUESTS, (STATUS_CODE.name, '=~', '5..'))}[{RATE}]))"
    slow = ask.quantile("0.99", REQUEST_DURATION, RATE, ask.label(REQUEST_DURATION, ROUTE.name))
    return Row(
        "Loki",
        (
            series("loki-lines", "Lines received", "Log lines that arrive, a second.", "short",
                   f"sum (rate({ask.series(LINES_RECEIVED)}[{RATE}]))", "lines"),
            series("loki-discarded", "Lines discarded", "Log lines refused for good, a second, by reason.", "short",
                   f"sum by ({reason}) (rate({ask.series(LINES_DISCARDED)}[{RATE}]))", legend(reason)),
            series("loki-errors", "Failed requests", "Share of the requests of each route that failed.", "percentunit",
                   f"({failed} or 0 * {every}) / ({every} > 0)", legend(route)),
            series("loki-latency", "p99 by route", "What one request in a hundred of each route exceeds.", "s",
                   slow, legend(route)),
        ),
    )  # fmt: skip
