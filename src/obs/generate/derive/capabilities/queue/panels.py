"""Panels of queues: what waits, for how long, and the work on messages."""

from __future__ import annotations

from collections.abc import Sequence

from obs.catalogue.queue import DEAD_LETTERS, DEPTH, ERROR_TYPE, OLDEST_AGE, PROCESSING, QUEUE
from obs.generate.derive.capabilities.capability import Headline
from obs.generate.derive.graphs import RATE, legend, series
from obs.generate.derive.guidance.queries import Queries
from obs.generate.derive.vocabulary import BY
from obs.generate.model import Alert, Panel, Query, Row


def golden(ask: Queries, _alerts: Sequence[Alert]) -> tuple[Panel, ...]:
    """Return traffic, errors and latency of messages, by queue."""
    queue = ask.label(PROCESSING, QUEUE.name)
    done = f"rate({ask.series(PROCESSING, part='_count')}[{RATE}])"
    failed = f"rate({ask.series(PROCESSING, (ERROR_TYPE.name, '!=', ''), part='_count')}[{RATE}])"
    return (
        series("queue-messages", "Messages", "Messages worked off a second, by queue.", "ops",
               f"sum by ({queue}) ({done})", legend(queue)),
        series("queue-errors", "Error ratio of messages", "Share of each queue's messages that failed.", "percentunit",
               f"(sum by ({queue}) ({failed}) or 0 * sum by ({queue}) ({done})) / sum by ({queue}) ({done})",
               legend(queue)),
        Panel(
            key="queue-processing",
            title="p95 of the work on messages",
            description="What the work on one message in twenty of each queue exceeds.",
            unit="s",
            kind="timeseries",
            queries=(Query(ask.quantile("0.95", PROCESSING, RATE, queue), legend(queue), exemplar=True),),
        ),
    )  # fmt: skip


def headline(ask: Queries) -> Headline:
    """Return messages a second, their failures and the time they take, by service."""
    every = f"sum by ({BY}) (rate({ask.series(PROCESSING, part='_count')}[{RATE}]))"
    bad = ask.series(PROCESSING, (ERROR_TYPE.name, "!=", ""), part="_count")
    failed = f"sum by ({BY}) (rate({bad}[{RATE}]))"
    return Headline(every, f"({failed} or 0 * {every}) / {every}", ask.quantile("0.95", PROCESSING, RATE, BY))


def row(ask: Queries) -> Row:
    """Return what waits in queues."""
    queue, aged = ask.label(DEPTH, QUEUE.name), ask.label(OLDEST_AGE, QUEUE.name)
    dead = ask.label(DEAD_LETTERS, QUEUE.name)
    return Row(
        "Queues",
        (
            *golden(ask, ()),
            series("queue-depth", "Messages that wait", "Messages that wait in each queue.", "short",
                   f"max by ({queue}) ({ask.series(DEPTH)})", legend(queue)),
            series("queue-oldest", "Oldest message", "How long the oldest message of each queue has been waiting.", "s",
                   f"max by ({aged}) ({ask.series(OLDEST_AGE)})", legend(aged)),
            series("queue-dead", "Messages given up", "Messages a second that were put aside, by queue.", "ops",
                   f"sum by ({dead}) (rate({ask.series(DEAD_LETTERS)}[{RATE}]))", legend(dead)),
        ),
    )  # fmt: skip
