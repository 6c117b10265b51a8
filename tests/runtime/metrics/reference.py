"""What several processes have counted together, added up row by row and remembered nowhere."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

from obs.runtime.metrics.family import HEAD, Definition, Exemplar, Family, Row, Values
from obs.runtime.metrics.plan import Source
from obs.runtime.metrics.render import Snapshot


@dataclass
class Series:
    """One series of all processes."""

    terms: list[float] = field(default_factory=list)
    born: float = 0.0
    buckets: list[float] = field(default_factory=list)
    #: Of a gauge what each process has set, and when.
    settings: list[tuple[float, float]] = field(default_factory=list)
    exemplars: dict[int, Exemplar] = field(default_factory=dict)

    def numbers(self, definition: Definition) -> list[float]:
        """Return its cells."""
        if definition.kind != "gauge":
            return [exactly(self.terms), self.born, *self.buckets]
        if definition.across == "sum":
            readable = [value for value, _ in self.settings if not math.isnan(value)]
            return [_in_turn(readable) if readable else math.nan, 0.0]
        told = [(value, when) for value, when in self.settings if when]
        if not told:
            return [0.0, 0.0]
        when = max(when for _, when in told)
        if definition.across == "latest":
            return [[value for value, then in told if then == when][-1], when]
        kept = told[0][0]
        for value, _ in told[1:]:
            if math.isnan(kept) or math.isnan(value):
                kept = value
            else:
                kept = (max if definition.across == "max" else min)(kept, value)
        return [kept, when]


def exactly(terms: list[float]) -> float:
    """Return the exact sum, rounded once."""
    if all(map(math.isfinite, terms)):
        return float(sum(map(Fraction, terms)))
    return _in_turn(terms)


def _in_turn(terms: list[float]) -> float:
    total = 0.0
    for term in terms:
        total += term
    return total


def add_up(sources: list[Source], *, capped: bool = False) -> list[tuple[Family, dict[Values, Series]]]:
    """Return every metric with its series in the order in which they are met."""
    found: dict[str, tuple[Family, dict[Values, Series]]] = {}
    for contents, alive in sources:
        for family, values, at in _rows(contents.blocks):
            definition = family.definition
            if definition.kind == "gauge" and not alive and definition.across != "latest":
                continue
            first, known = found.setdefault(definition.name, (family, {}))
            shapes = [(one.kind, one.labels, one.buckets) for one in (first.definition, definition)]
            if shapes[0] != shapes[1] or at + family.width > len(contents.cells):
                continue
            place = values
            if capped and values not in known and definition.open and len(known) >= definition.cap:
                place = definition.overflowed(values)
            _add(known.setdefault(place, Series()), family, Source(contents, alive), at)
    return list(found.values())


def _rows(blocks: object) -> Iterator[tuple[Family, Values, int]]:
    every = [(at, family, values) for family, places in blocks for values, at in places.items()]  # type: ignore[attr-defined]
    return ((family, values, at) for at, family, values in sorted(every, key=lambda one: one[0]))


def _add(series: Series, family: Family, source: Source, at: int) -> None:
    contents = source.contents
    numbers = contents.cells[at : at + family.width].tolist()
    if family.definition.kind == "gauge":
        series.settings.append((numbers[0], numbers[1]))
        return
    series.terms += [numbers[0], *contents.rest.get(at, ())]
    series.born = min(filter(None, (series.born, numbers[1])), default=0.0)
    before = series.buckets or [0.0] * len(numbers[HEAD:])
    series.buckets = [one + other for one, other in zip(before, numbers[HEAD:], strict=True)]
    for offset in range(family.width):
        mark = contents.exemplars.get(at + offset)
        if mark and (offset not in series.exemplars or series.exemplars[offset].at < mark.at):
            series.exemplars[offset] = mark


def snapshot(sources: list[Source]) -> Snapshot:
    """Return what a scrape shows."""
    families: list[tuple[Family, list[Row]]] = []
    cells: list[float] = []
    exemplars: dict[int, Exemplar] = {}
    for family, known in add_up(sources):
        rows = []
        for values, series in known.items():
            exemplars.update({len(cells) + offset: mark for offset, mark in series.exemplars.items()})
            rows.append(Row(values, family.starts(values), len(cells)))
            cells += series.numbers(family.definition)
        families.append((family, rows))
    return Snapshot(families, cells, exemplars)
