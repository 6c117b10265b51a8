"""Panels of jobs: how many runs there are, how they end and how long they take."""

from __future__ import annotations

from collections.abc import Sequence

from obs.catalogue.jobs import ACTIVE, DURATION, JOB_NAME, LAST_SUCCESS, RESULT, RUNS
from obs.generate.derive.capabilities.capability import Headline
from obs.generate.derive.graphs import QUANTILES, RATE, legend, series
from obs.generate.derive.guidance.queries import Queries
from obs.generate.derive.vocabulary import BY
from obs.generate.model import Alert, Panel, Query, Row


def golden(ask: Queries, _alerts: Sequence[Alert]) -> tuple[Panel, ...]:
    """Return traffic, errors and latency of jobs."""
    return (job_runs(ask), job_failures(ask), job_duration(ask))


def headline(ask: Queries) -> Headline:
    """Return runs a second, their failures and their duration, by service."""
    every = f"sum by ({BY}) (rate({ask.series(RUNS)}[{RATE}]))"
    failed = f"sum by ({BY}) (rate({ask.series(RUNS, (RESULT.name, '=', 'failure'))}[{RATE}]))"
    return Headline(every, f"({failed} or 0 * {every}) / {every}", ask.quantile("0.95", DURATION, RATE, BY))


def job_runs(ask: Queries) -> Panel:
    """Runs that ended."""
    name, result = ask.label(RUNS, JOB_NAME.name), ask.label(RUNS, RESULT.name)
    return series(
        "jobs-runs", "Runs", "Runs of jobs that ended, in each minute.", "short",
        f"60 * sum by ({name}, {result}) (rate({ask.series(RUNS)}[{RATE}]))", legend(name, result),
    )  # fmt: skip


def job_failures(ask: Queries) -> Panel:
    """Share of runs that failed."""
    name, runs = ask.label(RUNS, JOB_NAME.name), f"rate({ask.series(RUNS)}[{RATE}])"
    failed = f"rate({ask.series(RUNS, (RESULT.name, '=', 'failure'))}[{RATE}])"
    return series(
        "jobs-failures", "Failure ratio", "Share of the runs of each job that failed.", "percentunit",
        f"(sum by ({name}) ({failed}) or 0 * sum by ({name}) ({runs})) / sum by ({name}) ({runs})",
        legend(name),
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
            Query(ask.quantile(rank, DURATION, RATE, name), f"{legend(name)} {title}")
            for rank, title in QUANTILES[:2]
        ),
    )


def row(ask: Queries) -> Row:
    """What jobs do."""
    late, busy = ask.label(LAST_SUCCESS, JOB_NAME.name), ask.label(ACTIVE, JOB_NAME.name)
    return Row("Jobs", (
        job_runs(ask),
        job_failures(ask),
        job_duration(ask),
        series("jobs-last-success", "Time since the last success", "Age of each job's last successful run.", "s",
                f"time() - max by ({late}) ({ask.series(LAST_SUCCESS)})", legend(late)),
        series("jobs-active", "Runs in progress", "Runs of each job that are going on.", "short",
                f"sum by ({busy}) ({ask.series(ACTIVE)})", legend(busy)),
    ))  # fmt: skip
