"""Panels of websockets: connections that are open, and how connections end."""

from __future__ import annotations

from collections.abc import Sequence

from obs.catalogue.http import ROUTE
from obs.catalogue.websocket import ACTIVE, CONNECTIONS, RESULT
from obs.generate.derive.graphs import RATE, legend, series
from obs.generate.derive.guidance.queries import Queries
from obs.generate.model import Alert, Panel, Row


def golden(ask: Queries, _alerts: Sequence[Alert]) -> tuple[Panel, ...]:
    """Return open connections and how they end; a connection has no latency."""
    ended = f"sum (rate({ask.series(CONNECTIONS)}[{RATE}]))"
    failed = f"sum (rate({ask.series(CONNECTIONS, (RESULT.name, '=', 'failed'))}[{RATE}]))"
    return (
        series("websocket-active", "Open connections", "Websocket connections that are open, by instance.", "short",
               f"sum by (instance) ({ask.series(ACTIVE)})", "{{instance}}"),
        series("websocket-failures", "Failure ratio of connections",
               "Share of the connections that ended because the service failed.", "percentunit",
               f"({failed} or 0 * {ended}) / {ended}", "failed"),
    )  # fmt: skip


def row(ask: Queries) -> Row:
    """Return what websocket connections do."""
    route, result = ask.label(CONNECTIONS, ROUTE.name), ask.label(CONNECTIONS, RESULT.name)
    return Row(
        "Websockets",
        (
            *golden(ask, ()),
            series("websocket-ends", "Connections that ended", "Connections a second that ended, by route and result.", "ops",
                   f"sum by ({route}, {result}) (rate({ask.series(CONNECTIONS)}[{RATE}]))", legend(route, result)),
        ),
    )  # fmt: skip
