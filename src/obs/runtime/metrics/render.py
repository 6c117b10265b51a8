"""Write our metrics as text, byte for byte as prometheus_client would, from cached beginnings of lines.

Its own renderer sorts and escapes the labels of every sample at every scrape; here that is done once
a series, and a scrape only writes numbers behind prepared text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from prometheus_client import Metric
from prometheus_client.samples import Exemplar as StockExemplar
from prometheus_client.samples import Sample

from obs.runtime.metrics.family import HEAD, Exemplar, Family, Row, write_number

#: From here on the format wants another notation than Python's.
_PLAIN = 1e6


class Snapshot(NamedTuple):
    """Every series at one moment: rows point into cells, exemplars hang on cells."""

    families: Sequence[tuple[Family, Sequence[Row]]]
    cells: Sequence[float]
    exemplars: Mapping[int, Exemplar]


_Writer: TypeAlias = Callable[
    [list[str], Family, Sequence[Row], Sequence[float], Mapping[int, Exemplar]], None
]


def text(snapshot: Snapshot) -> str:
    """Return `snapshot` in the text format, without `_created`, which would be a series of its own there."""
    out: list[str] = []
    for family, rows in snapshot.families:
        definition = family.definition
        name = f"{definition.name}_total" if definition.kind == "counter" else definition.name
        # In this format a quotation mark in the help stays as it is.
        help_ = definition.help.replace("\\", r"\\").replace("\n", r"\n")
        out.append(f"# HELP {name} {help_}\n# TYPE {name} {definition.kind}\n")
        _TEXT[definition.kind](out, family, rows, snapshot.cells, snapshot.exemplars)
    return "".join(out)


def openmetrics(snapshot: Snapshot) -> str:
    """Return `snapshot` in OpenMetrics 1.0, without the end mark."""
    out: list[str] = []
    for family, rows in snapshot.families:
        definition = family.definition
        help_ = definition.help.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
        out.append(f"# HELP {definition.name} {help_}\n# TYPE {definition.name} {definition.kind}\n")
        _OPENMETRICS[definition.kind](out, family, rows, snapshot.cells, snapshot.exemplars)
    return "".join(out)


def _values(
    out: list[str],
    family: Family,  # noqa: ARG001 - one signature for every kind
    rows: Sequence[Row],
    cells: Sequence[float],
    exemplars: Mapping[int, Exemplar],  # noqa: ARG001
) -> None:
    out += [
        f"{starts[0]}{value!r}\n"
        if -_PLAIN < (value := cells[at]) < _PLAIN
        else f"{starts[0]}{write_number(value)}\n"
        for _, starts, at in rows
    ]


def _buckets(
    out: list[str],
    family: Family,
    rows: Sequence[Row],
    cells: Sequence[float],
    exemplars: Mapping[int, Exemplar],
    *,
    created: bool = False,
) -> None:
    le, width = family.le, len(family.le)
    has_sum = family.bounds[0] >= 0
    for _, (head, tail, count, total, born), at in rows:
        seen = 0.0
        first = at + HEAD
        for position in range(width):
            seen += cells[first + position]
            exemplar = exemplars.get(first + position) if created else None
            behind = "" if exemplar is None else mark(exemplar)
            number = repr(seen) if seen < _PLAIN else write_number(seen)
            out.append(f"{head}{le[position]}{tail}{number}{behind}\n")
        out.append(f"{count}{write_number(seen)}\n")
        if has_sum:
            out.append(f"{total}{write_number(cells[at])}\n")
        if created:
            out.append(f"{born}{write_number(cells[at + 1])}\n")


def _created_counters(
    out: list[str],
    family: Family,  # noqa: ARG001
    rows: Sequence[Row],
    cells: Sequence[float],
    exemplars: Mapping[int, Exemplar],
) -> None:
    for _, (start, born), at in rows:
        value = cells[at]
        number = repr(value) if value < _PLAIN else write_number(value)
        exemplar = exemplars.get(at)
        behind = "" if exemplar is None else mark(exemplar)
        out.append(f"{start}{number}{behind}\n{born}{write_number(cells[at + 1])}\n")


def _created_buckets(
    out: list[str],
    family: Family,
    rows: Sequence[Row],
    cells: Sequence[float],
    exemplars: Mapping[int, Exemplar],
) -> None:
    _buckets(out, family, rows, cells, exemplars, created=True)


_TEXT: dict[str, _Writer] = {"counter": _values, "gauge": _values, "histogram": _buckets}
_OPENMETRICS: dict[str, _Writer] = {
    "counter": _created_counters,
    "gauge": _values,
    "histogram": _created_buckets,
}


def mark(exemplar: Exemplar) -> str:
    """Return an exemplar as OpenMetrics writes it behind a value."""
    trace_id, span_id, value, at = exemplar
    return f' # {{span_id="{span_id}",trace_id="{trace_id}"}} {write_number(value)} {at}'


def metrics(snapshot: Snapshot) -> Iterable[Metric]:
    """Return `snapshot` as prometheus_client's own objects, for its renderers and registries."""
    for family, rows in snapshot.families:
        definition = family.definition
        metric = Metric(definition.name, definition.help, definition.kind)
        for values, _, at in rows:
            labels = dict(zip(definition.labels, values, strict=True))
            metric.samples.extend(_samples(family, labels, at, snapshot))
        yield metric


def _samples(family: Family, labels: dict[str, str], at: int, snapshot: Snapshot) -> Iterable[Sample]:
    name, cells, exemplars = family.definition.name, snapshot.cells, snapshot.exemplars
    if family.definition.kind == "gauge":
        yield Sample(name, labels, cells[at])
        return
    if family.definition.kind == "counter":
        yield Sample(f"{name}_total", labels, cells[at], None, _stock(exemplars.get(at)))
    else:
        seen = 0.0
        for position, le in enumerate(family.le, at + HEAD):
            seen += cells[position]
            yield Sample(f"{name}_bucket", {**labels, "le": le}, seen, None, _stock(exemplars.get(position)))
        yield Sample(f"{name}_count", labels, seen)
        if family.bounds[0] >= 0:
            yield Sample(f"{name}_sum", labels, cells[at])
    yield Sample(f"{name}_created", labels, cells[at + 1])


def _stock(exemplar: Exemplar | None) -> StockExemplar | None:
    if exemplar is None:
        return None
    return StockExemplar(
        {"trace_id": exemplar.trace_id, "span_id": exemplar.span_id}, exemplar.value, exemplar.at
    )
