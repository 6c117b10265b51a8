"""Panels of the collector."""

from __future__ import annotations

from collections.abc import Mapping

from obs.catalogue import Counter
from obs.catalogue.engines.collector import (
    ACCEPTED,
    DATA_TYPE,
    ENQUEUE_FAILED,
    EXPORTER,
    FILTER,
    FILTERED,
    MASKED,
    QUEUE_CAPACITY,
    QUEUE_SIZE,
    REFUSED,
    SEND_FAILED,
    SENT,
)
from obs.generate.derive.graphs import RATE, legend
from obs.generate.derive.guidance.queries import Match, Queries
from obs.generate.model import Panel, Query, Row


def row(ask: Queries) -> Row:
    """What goes through the collector, and what does not."""
    exporter, kind = ask.label(QUEUE_SIZE, EXPORTER.name), ask.label(QUEUE_SIZE, DATA_TYPE.name)
    full = f"max by ({exporter}, {kind}) ({ask.series(QUEUE_SIZE)} / ({ask.series(QUEUE_CAPACITY)} > 0))"
    return Row(
        "Collector",
        (
            _kinds(
                ask, "collector-accepted", "Taken in", "Items that the receivers took, a second.", ACCEPTED
            ),
            _kinds(ask, "collector-sent", "Delivered", "Items that the exporters delivered, a second.", SENT),
            Panel(
                key="collector-queue",
                title="Queues",
                description="How full the queue of each exporter is, for each kind of data.",
                unit="percentunit",
                kind="timeseries",
                queries=(Query(full, legend(exporter, kind)),),
            ),
            _kinds(
                ask,
                "collector-failed",
                "Not delivered",
                "Items that exporters gave up on, a second.",
                SEND_FAILED,
            ),
            _kinds(
                ask,
                "collector-dropped",
                "Dropped",
                "Items dropped because a queue was full, a second.",
                ENQUEUE_FAILED,
            ),
            _kinds(ask, "collector-refused", "Refused", "Items that receivers refused, a second.", REFUSED),
            _kinds(
                ask,
                "collector-masked",
                "Masked",
                "Records that held a secret or personal data, a second: masked here, to be mended where they are written.",
                FILTERED,
                (FILTER.name, "=", MASKED),
            ),
        ),
    )


def _kinds(
    ask: Queries, key: str, title: str, description: str, counters: Mapping[str, Counter], *where: Match
) -> Panel:
    return Panel(
        key=key,
        title=title,
        description=description,
        unit="short",
        kind="timeseries",
        queries=tuple(
            Query(f"sum (rate({ask.series(signal, *where)}[{RATE}]))", kind)
            for kind, signal in counters.items()
        ),
    )
