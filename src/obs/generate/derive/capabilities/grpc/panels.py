"""Panels of gRPC: the golden signals of calls, then what they do by method and status."""

from __future__ import annotations

from collections.abc import Sequence

from obs.catalogue.rpc import CLIENT_CALLS, METHOD, SERVER_ACTIVE, SERVER_CALLS, SERVER_DURATION, STATUS
from obs.generate.derive.capabilities.capability import Headline
from obs.generate.derive.capabilities.grpc.alerts import SERVER_ERRORS
from obs.generate.derive.graphs import RATE, legend, series
from obs.generate.derive.guidance.queries import Match, Queries
from obs.generate.derive.vocabulary import BY
from obs.generate.model import Alert, Panel, Query, Row

#: Statuses that are the server's own failure.
FAILED: Match = (STATUS.name, "=~", "|".join(SERVER_ERRORS))


def golden(ask: Queries, _alerts: Sequence[Alert]) -> tuple[Panel, ...]:
    """Return traffic, errors and latency of calls, by method."""
    return (_traffic(ask), _errors(ask), _latency(ask))


def headline(ask: Queries) -> Headline:
    """Return calls a second, their failures and their duration, by service."""
    every = f"sum by ({BY}) (rate({ask.series(SERVER_CALLS)}[{RATE}]))"
    failed = f"sum by ({BY}) (rate({ask.series(SERVER_CALLS, FAILED)}[{RATE}]))"
    return Headline(
        every, f"({failed} or 0 * {every}) / {every}", ask.quantile("0.95", SERVER_DURATION, RATE, BY)
    )


def row(ask: Queries) -> Row:
    """Return what calls do."""
    status, active = ask.label(SERVER_CALLS, STATUS.name), ask.label(SERVER_ACTIVE, METHOD.name)
    called = ask.label(CLIENT_CALLS, STATUS.name)
    return Row(
        "gRPC",
        (
            *golden(ask, ()),
            series("grpc-status", "Calls by status", "Calls a second by status.", "reqps",
                   f"sum by ({status}) (rate({ask.series(SERVER_CALLS)}[{RATE}]))", legend(status)),
            series("grpc-active", "Calls in flight", "Calls that are being answered, by method.", "short",
                   f"sum by ({active}) ({ask.series(SERVER_ACTIVE)})", legend(active)),
            series("grpc-client-status", "Calls to others by status", "Outgoing calls a second by status.", "reqps",
                   f"sum by ({called}) (rate({ask.series(CLIENT_CALLS)}[{RATE}]))", legend(called)),
        ),
    )  # fmt: skip


def _traffic(ask: Queries) -> Panel:
    method = ask.label(SERVER_CALLS, METHOD.name)
    return series(
        "grpc-traffic", "Calls", "Calls a second, by method.", "reqps",
        f"sum by ({method}) (rate({ask.series(SERVER_CALLS)}[{RATE}]))", legend(method),
    )  # fmt: skip


def _errors(ask: Queries) -> Panel:
    method, calls = ask.label(SERVER_CALLS, METHOD.name), f"rate({ask.series(SERVER_CALLS)}[{RATE}])"
    failed = f"rate({ask.series(SERVER_CALLS, FAILED)}[{RATE}])"
    return series(
        "grpc-errors", "Error ratio of calls", "Share of each method's calls that the server failed.", "percentunit",
        f"(sum by ({method}) ({failed}) or 0 * sum by ({method}) ({calls})) / sum by ({method}) ({calls})",
        legend(method),
    )  # fmt: skip


def _latency(ask: Queries) -> Panel:
    method = ask.label(SERVER_DURATION, METHOD.name)
    return Panel(
        key="grpc-latency",
        title="p99 of calls",
        description="What one call in a hundred of each method exceeds; a stream lasts as long as it is open.",
        unit="s",
        kind="timeseries",
        queries=(Query(ask.quantile("0.99", SERVER_DURATION, RATE, method), legend(method), exemplar=True),),
    )
