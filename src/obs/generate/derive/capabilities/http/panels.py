"""Panels of HTTP: the golden signals of requests, then what they do by route, status and dependency."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from obs.catalogue.http import (
    CLIENT_REQUESTS,
    ERROR_TYPE,
    SERVER_ACTIVE,
    SERVER_ADDRESS,
    SERVER_DURATION,
    STATUS,
)
from obs.generate.derive.capabilities.capability import Headline
from obs.generate.derive.graphs import QUANTILES, RATE, legend, series
from obs.generate.derive.guidance.queries import Queries
from obs.generate.derive.vocabulary import BY
from obs.generate.model import Alert, Panel, Query, Row


def golden(ask: Queries, alerts: Sequence[Alert]) -> tuple[Panel, ...]:
    """Return traffic, errors and latency of requests."""
    # The share of yesterday's traffic below which an alert fires.
    found = [a.threshold.value for a in alerts if a.panel == "http-traffic" and a.threshold.comparison == "<"]
    return (http_traffic(ask, max(found, default=None)), http_errors(ask), http_latency(ask))


def headline(ask: Queries) -> Headline:
    """Return traffic, errors and latency of requests, by service."""
    every, failed = f"sum by ({BY}) ({ask.requests(RATE)})", f"sum by ({BY}) ({ask.failures(RATE)})"
    return Headline(every, f"({failed} or 0 * {every}) / {every}", ask.latency("0.95", RATE, BY))


def http_traffic(ask: Queries, least: Decimal | None = None) -> Panel:
    """Requests a second; with `least`, also the line below which an alert fires."""
    queries = [
        Query(f"sum ({ask.requests(RATE)})", "now"),
        Query(f"sum ({ask.requests(RATE, offset='1d')})", "yesterday"),
    ]
    if least is not None:
        queries.append(Query(f"{least:f} * sum ({ask.requests('1h', offset='1d')})", "alert below"))
    return Panel(
        key="http-traffic",
        title="Traffic",
        description="Requests a second, now and at the same time yesterday.",
        unit="reqps",
        kind="timeseries",
        queries=tuple(queries),
    )


def http_errors(ask: Queries) -> Panel:
    """Share of requests that failed."""
    return Panel(
        key="http-errors",
        title="Error ratio",
        description="Share of requests that ended with a server error (status 500 to 599).",
        unit="percentunit",
        kind="timeseries",
        # Without any failure there is no failed series, and a gap would look like missing data.
        queries=(
            Query(
                f"(sum ({ask.failures(RATE)}) or 0 * sum ({ask.requests(RATE)})) / sum ({ask.requests(RATE)})",
                "errors",
            ),
        ),
    )


def http_latency(ask: Queries) -> Panel:
    """Quantiles of the duration of requests."""
    return Panel(
        key="http-latency",
        title="Latency",
        description="Duration of requests: the median, and what one in twenty and one in a hundred exceed.",
        unit="s",
        kind="timeseries",
        queries=tuple(
            Query(ask.latency(rank, RATE), name, exemplar=name == "p99") for rank, name in QUANTILES
        ),
    )


def row(ask: Queries) -> Row:
    """What requests do, by route, status, instance and dependency."""
    route, by_status = ask.route, ask.status
    address = ask.by(CLIENT_REQUESTS, SERVER_ADDRESS.name, ERROR_TYPE.name)
    host, calls = (
        ask.label(CLIENT_REQUESTS, SERVER_ADDRESS.name),
        f"rate({ask.series(CLIENT_REQUESTS)}[{RATE}])",
    )
    late = ask.series(CLIENT_REQUESTS, (ERROR_TYPE.name, "=~", ".*[Tt]imeout.*"))
    buckets = f"sum by (le) (increase({ask.series(SERVER_DURATION, part='_bucket')}[{RATE}]))"
    return Row(
        "HTTP",
        (
            series("http-routes", "Traffic by route", "Requests a second of each route.", "reqps",
                    f"sum by ({route}) ({ask.requests(RATE)})", legend(route)),
            series("http-status", "Answers by status", "Requests a second by status code.", "reqps",
                    f"sum by ({by_status}) ({ask.requests(RATE)})", legend(by_status)),
            series("http-route-errors", "Error ratio by route", "Share of each route's requests that failed.",
                    "percentunit",
                    f"(sum by ({route}) ({ask.failures(RATE)}) or 0 * sum by ({route}) ({ask.requests(RATE)})) "
                    f"/ sum by ({route}) ({ask.requests(RATE)})",
                    legend(route)),
            series("http-route-latency", "p99 by route", "What one request in a hundred of each route exceeds.", "s",
                    ask.latency("0.99", RATE, route), legend(route)),
            series("http-active", "Requests in flight", "Requests being answered, by instance.", "short",
                    f"sum by (instance) ({ask.series(SERVER_ACTIVE)})", "{{instance}}"),
            series("http-client-errors", "Failed calls to others", "Outgoing calls a second that failed.", "reqps",
                    f"sum {address} ({ask.failed_calls(RATE)})",
                    legend(ask.label(CLIENT_REQUESTS, SERVER_ADDRESS.name), ask.label(CLIENT_REQUESTS, ERROR_TYPE.name))),
            series("http-client-error-ratio", "Error ratio of calls to others", "Share of outgoing calls that failed, by address.",
                    "percentunit",
                    f"(sum by ({host}) ({ask.failed_calls(RATE)}) or 0 * sum by ({host}) ({calls})) / sum by ({host}) ({calls})",
                    legend(host)),
            series("http-client-timeouts", "Calls to others that timed out", "Outgoing calls a second without an answer in time.",
                    "reqps", f"sum by ({host}) (rate({late}[{RATE}]))", legend(host)),
            series("http-denied", "Denied requests", "Requests a second that were answered with 403, by route.", "reqps",
                    f"sum by ({route}) ({ask.requests(RATE, (STATUS.name, '=', '403'))})", legend(route)),
            Panel(
                key="http-heatmap",
                title="Distribution of latency",
                description="How many requests took how long; two bands mean two kinds of work or of trouble.",
                unit="s",
                kind="heatmap",
                queries=(Query(buckets, "{{le}}", exemplar=True),),
            ),
        ),
    )  # fmt: skip
