"""Hand metrics out as plain data, for a push."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from prometheus_client import Metric

from obs.runtime.metrics.family import HEAD, Family, Row
from obs.runtime.metrics.render import Snapshot
from obs.runtime.points import Mark, Measured, Point


def measured(snapshot: Snapshot, own: Iterable[Metric]) -> list[Measured]:
    """Return our series, and what obs says of itself and of the process."""
    found = [_family(family, rows, snapshot) for family, rows in snapshot.families if rows]
    return found + [_stock(metric) for metric in own]


def _family(family: Family, rows: Sequence[Row], snapshot: Snapshot) -> Measured:
    definition = family.definition
    name = f"{definition.name}_total" if definition.kind == "counter" else definition.name
    points = tuple(_point(family, row, snapshot) for row in rows)
    return Measured(name, definition.kind, definition.help, points, definition.buckets)


def _point(family: Family, row: Row, snapshot: Snapshot) -> Point:
    definition, cells, at = family.definition, snapshot.cells, row.at
    end = at + family.width
    return Point(
        dict(zip(definition.labels, row.values, strict=True)),
        cells[at],
        cells[at + 1] if definition.kind != "gauge" else 0.0,
        tuple(cells[at + HEAD : end]),
        tuple(
            Mark(*exemplar)
            for position in range(at, end)
            if (exemplar := snapshot.exemplars.get(position)) is not None
        ),
    )


def _stock(metric: Metric) -> Measured:
    counts = metric.type == "counter"
    born = {
        tuple(sample.labels.items()): sample.value
        for sample in metric.samples
        if sample.name == f"{metric.name}_created"
    }
    points = tuple(
        Point(sample.labels, sample.value, born.get(tuple(sample.labels.items()), 0.0))
        for sample in metric.samples
        if not (counts and sample.name == f"{metric.name}_created")
    )
    name = f"{metric.name}_total" if counts else metric.name
    return Measured(name, "counter" if counts else "gauge", metric.documentation, points)
