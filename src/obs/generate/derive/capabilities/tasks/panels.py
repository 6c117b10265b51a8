"""Panels of tasks: how many runs there are, how they end, and how long they wait and take."""

from __future__ import annotations

from collections.abc import Sequence

from obs.catalogue.tasks import ACTIVE, DURATION, OUTCOME, PUBLISHED, QUEUE_TIME, RUNS, TASK
from obs.generate.derive.capabilities.capability import Headline
from obs.generate.derive.capabilities.tasks.alerts import LOST
from obs.generate.derive.graphs import RATE, legend, series
from obs.generate.derive.guidance.queries import Queries
from obs.generate.derive.vocabulary import BY
from obs.generate.model import Alert, Panel, Query, Row


def golden(ask: Queries, _alerts: Sequence[Alert]) -> tuple[Panel, ...]:
    """Return traffic, errors and latency of tasks."""
    task, outcome = ask.label(RUNS, TASK.name), ask.label(RUNS, OUTCOME.name)
    took, runs = ask.label(DURATION, TASK.name), f"rate({ask.series(RUNS)}[{RATE}])"
    lost = f"rate({ask.series(RUNS, (OUTCOME.name, '=~', '|'.join(LOST)))}[{RATE}])"
    return (
        series("tasks-runs", "Runs of tasks", "Runs a second that ended, by task and outcome.", "ops",
               f"sum by ({task}, {outcome}) ({runs})", legend(task, outcome)),
        series("tasks-failures", "Failure ratio of tasks", "Share of each task's runs that failed or were rejected.",
               "percentunit",
               f"(sum by ({task}) ({lost}) or 0 * sum by ({task}) ({runs})) / sum by ({task}) ({runs})", legend(task)),
        Panel(
            key="tasks-duration",
            title="p95 of runs of tasks",
            description="What one run in twenty of each task exceeds.",
            unit="s",
            kind="timeseries",
            queries=(Query(ask.quantile("0.95", DURATION, RATE, took), legend(took), exemplar=True),),
        ),
    )  # fmt: skip


def headline(ask: Queries) -> Headline:
    """Return runs a second, their failures and their duration, by service."""
    every = f"sum by ({BY}) (rate({ask.series(RUNS)}[{RATE}]))"
    failed = f"sum by ({BY}) (rate({ask.series(RUNS, (OUTCOME.name, '=~', '|'.join(LOST)))}[{RATE}]))"
    return Headline(every, f"({failed} or 0 * {every}) / {every}", ask.quantile("0.95", DURATION, RATE, BY))


def row(ask: Queries) -> Row:
    """Return what tasks do."""
    sent, waits = ask.label(PUBLISHED, TASK.name), ask.label(QUEUE_TIME, TASK.name)
    busy = ask.label(ACTIVE, TASK.name)
    return Row(
        "Tasks",
        (
            *golden(ask, ()),
            series("tasks-waits", "Time in the queue", "What one run in twenty of each task waits before it starts.", "s",
                   ask.quantile("0.95", QUEUE_TIME, RATE, waits), legend(waits)),
            series("tasks-published", "Tasks published", "Tasks a second that were handed to the queue.", "ops",
                   f"sum by ({sent}) (rate({ask.series(PUBLISHED)}[{RATE}]))", legend(sent)),
            series("tasks-active", "Runs in progress", "Runs of each task that are going on.", "short",
                   f"sum by ({busy}) ({ask.series(ACTIVE)})", legend(busy)),
        ),
    )  # fmt: skip
