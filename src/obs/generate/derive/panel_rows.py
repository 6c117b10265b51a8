"""The panels of each capability: what they ask, in which unit, and what a reader sees in them."""

from __future__ import annotations

from decimal import Decimal

from obs.catalogue.http import CLIENT_REQUESTS, ERROR_TYPE, SERVER_ACTIVE, SERVER_ADDRESS, SERVER_DURATION
from obs.catalogue.jobs import ACTIVE, DURATION, JOB_NAME, LAST_SUCCESS, RESULT, RUNS
from obs.catalogue.process import MAX_FDS, OPEN_FDS, START_TIME
from obs.catalogue.self import BUILD, VERSION
from obs.catalogue.target import SCRAPE_DURATION, UP
from obs.generate.derive.guidance.queries import Queries
from obs.generate.model import Panel, PanelThreshold, Query, Row

#: The window that Grafana fits to the zoom and to the scrape interval.
RATE = "$__rate_interval"
_QUANTILES = (("0.5", "p50"), ("0.95", "p95"), ("0.99", "p99"))


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
            Query(ask.latency(rank, RATE), name, exemplar=name == "p99") for rank, name in _QUANTILES
        ),
    )


def saturation(ask: Queries) -> Panel:
    """The fullest instance."""
    return Panel(
        key="saturation",
        title="Saturation",
        description="The fullest instance: CPU and memory used, as a share of what it may use.",
        unit="percentunit",
        kind="timeseries",
        queries=(
            Query(f"max ({ask.cpu_share(RATE)})", "CPU"),
            Query(f"max ({ask.memory_share()})", "memory"),
        ),
    )


def http(ask: Queries) -> Row:
    """What requests do, by route, status, instance and dependency."""
    route, by_status = ask.route, ask.status
    address = ask.by(CLIENT_REQUESTS, SERVER_ADDRESS.name, ERROR_TYPE.name)
    buckets = f"sum by (le) (increase({ask.series(SERVER_DURATION, part='_bucket')}[{RATE}]))"
    return Row(
        "HTTP",
        (
            _series("http-routes", "Traffic by route", "Requests a second of each route.", "reqps",
                    f"sum by ({route}) ({ask.requests(RATE)})", _legend(route)),
            _series("http-status", "Answers by status", "Requests a second by status code.", "reqps",
                    f"sum by ({by_status}) ({ask.requests(RATE)})", _legend(by_status)),
            _series("http-route-errors", "Error ratio by route", "Share of each route's requests that failed.",
                    "percentunit",
                    f"(sum by ({route}) ({ask.failures(RATE)}) or 0 * sum by ({route}) ({ask.requests(RATE)})) "
                    f"/ sum by ({route}) ({ask.requests(RATE)})",
                    _legend(route)),
            _series("http-route-latency", "p99 by route", "What one request in a hundred of each route exceeds.", "s",
                    ask.latency("0.99", RATE, route), _legend(route)),
            _series("http-active", "Requests in flight", "Requests being answered, by instance.", "short",
                    f"sum by (instance) ({ask.series(SERVER_ACTIVE)})", "{{instance}}"),
            _series("http-client-errors", "Failed calls to others", "Outgoing calls a second that failed.", "reqps",
                    f"sum {address} ({ask.failed_calls(RATE)})",
                    _legend(ask.label(CLIENT_REQUESTS, SERVER_ADDRESS.name), ask.label(CLIENT_REQUESTS, ERROR_TYPE.name))),
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


def job_runs(ask: Queries) -> Panel:
    """Runs that ended."""
    name, result = ask.label(RUNS, JOB_NAME.name), ask.label(RUNS, RESULT.name)
    return _series(
        "jobs-runs", "Runs", "Runs of jobs that ended, in each minute.", "short",
        f"60 * sum by ({name}, {result}) (rate({ask.series(RUNS)}[{RATE}]))", _legend(name, result),
    )  # fmt: skip


def job_failures(ask: Queries) -> Panel:
    """Share of runs that failed."""
    name, runs = ask.label(RUNS, JOB_NAME.name), f"rate({ask.series(RUNS)}[{RATE}])"
    failed = f"rate({ask.series(RUNS, (RESULT.name, '=', 'failure'))}[{RATE}])"
    return _series(
        "jobs-failures", "Failure ratio", "Share of the runs of each job that failed.", "percentunit",
        f"(sum by ({name}) ({failed}) or 0 * sum by ({name}) ({runs})) / sum by ({name}) ({runs})",
        _legend(name),
    )  # fmt: skip


def job_duration(ask: Queries) -> Panel:
    """How long runs take."""
    name = ask.label(DURATION, JOB_NAME.name)
    return Panel(
        key="jobs-duration",
        title="Duration of runs",
        description="Duration of runs of each job: the median, and what one run in twenty exceeds.",
        unit="s",
        kind="timeseries",
        queries=tuple(
            Query(ask.quantile(rank, DURATION, RATE, name), f"{_legend(name)} {title}")
            for rank, title in _QUANTILES[:2]
        ),
    )


def jobs(ask: Queries) -> Row:
    """What jobs do."""
    late, busy = ask.label(LAST_SUCCESS, JOB_NAME.name), ask.label(ACTIVE, JOB_NAME.name)
    panels = (
        job_runs(ask),
        job_failures(ask),
        job_duration(ask),
        _series("jobs-last-success", "Time since the last success", "Age of each job's last successful run.", "s",
                f"time() - max by ({late}) ({ask.series(LAST_SUCCESS)})", _legend(late)),
        _series("jobs-active", "Runs in progress", "Runs of each job that are going on.", "short",
                f"sum by ({busy}) ({ask.series(ACTIVE)})", _legend(busy)),
    )  # fmt: skip
    # Without requests, jobs are the golden signals and stand there already.
    return Row("Jobs", panels if "http" in ask.service.capabilities else panels[3:])


def process(ask: Queries) -> Row:
    """What the process uses."""
    descriptors = f"max by (instance) ({ask.series(OPEN_FDS)}) / max by (instance) ({ask.series(MAX_FDS)})"
    return Row(
        "Process",
        (
            _series("process-cpu", "CPU", "CPU used, as a share of what the instance may use.", "percentunit",
                    ask.cpu_share(RATE), "{{instance}}"),
            _series("process-memory", "Memory", "Memory used, as a share of what the instance may use.",
                    "percentunit", ask.memory_share(), "{{instance}}"),
            _series("process-fds", "File descriptors", "Open files and sockets, as a share of the limit.",
                    "percentunit", descriptors, "{{instance}}"),
            _series("process-restarts", "Restarts", "Starts of each instance in the last hour.", "short",
                    f"sum by (instance) (changes({ask.series(START_TIME)}[1h]))", "{{instance}}"),
        ),
    )  # fmt: skip


def targets(ask: Queries) -> Row:
    """What Prometheus sees of the service."""
    version = ask.label(BUILD, VERSION.name)
    up = Panel(
        key="targets-up",
        title="Targets up",
        description="1 while Prometheus can scrape the instance, 0 while it cannot.",
        unit="short",
        kind="timeseries",
        queries=(Query(f"min by (instance) ({ask.series(UP)})", "{{instance}}"),),
        thresholds=(PanelThreshold(Decimal(0), "red"), PanelThreshold(Decimal(1), "green")),
    )
    return Row(
        "Targets",
        (
            up,
            _series("targets-scrape", "Duration of scrapes", "How long Prometheus takes to read an instance.", "s",
                    f"max by (instance) ({ask.series(SCRAPE_DURATION)})", "{{instance}}"),
            Panel(
                key="targets-versions",
                title="Versions",
                description="How many instances run which version.",
                unit="short",
                kind="table",
                queries=(Query(f"count by ({version}) ({ask.series(BUILD)})", _legend(version), instant=True),),
            ),
        ),
    )  # fmt: skip


def _legend(*labels: str) -> str:
    return " ".join(f"{{{{{label}}}}}" for label in labels)


def _series(  # noqa: PLR0917 - a panel reads best as one row of a table
    key: str, title: str, description: str, unit: str, expr: str, legend: str
) -> Panel:
    return Panel(key, title, description, unit, "timeseries", (Query(expr, legend),))
