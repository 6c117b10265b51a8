"""Which series several processes have together, and where each of them has their numbers.

A plan is made anew only when a process has come, gone or made a series; between two scrapes that is
rare, and so a scrape mostly adds up columns of numbers and looks at no label.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Hashable, Sequence
from typing import NamedTuple, TypeAlias

from obs.runtime.metrics.family import Definition, Exemplar, Family, Row, Values
from obs.runtime.metrics.merge import NOTHING, Merged, Part
from obs.runtime.metrics.reader import Contents

#: Metrics with what a scrape shows of them, but the numbers.
Families: TypeAlias = Sequence[tuple[Family, Sequence[Row]]]


class Source(NamedTuple):
    """What one process has written, or all the dead together."""

    contents: Contents
    alive: bool


class Sum(NamedTuple):
    """Numbers and exemplars of all processes; the rows of a plan point into the cells."""

    cells: list[float]
    exemplars: dict[int, Exemplar]


class _Series(NamedTuple):
    """The series of one process in the order of their cells: where each begins, ends, and is in the sum."""

    begins: array[int]
    ends: array[int]
    targets: array[int]


class Plan:
    """The metrics of several processes; a gauge of a dead one counts only where the latest is asked for."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._made_for = _versions(sources)
        self.metrics: list[Merged] = []
        size = 0
        for parts in _parts(sources).values():
            merged = Merged(parts, size)
            self.metrics.append(merged)
            size += len(merged.values) * merged.family.width
        self._series: dict[int, _Series] = {}

    def fits(self, sources: Sequence[Source]) -> bool:
        """Return whether these have the same series in the same cells as those it was made for."""
        return self._made_for == _versions(sources)

    def families(self, before: Families = ()) -> Families:
        """Return every metric with its rows, those of obs's own books left out.

        The beginnings of lines that `before` has are not made again.
        """
        known = {family.definition: rows for family, rows in before}
        return [
            (merged.family, merged.rows(known.get(merged.family.definition, ())))
            for merged in self.metrics
            if not merged.family.definition.name.startswith("\0")
        ]

    def add_up(self, sources: Sequence[Source]) -> Sum:
        """Return the numbers of all rows."""
        every, cells = _cells(sources), list[float]()
        for merged in self.metrics:
            cells += merged.add_up(every)
        exemplars: dict[int, Exemplar] = {}
        for number, (contents, _) in enumerate(sources):
            if contents.exemplars:
                self._offer(exemplars, self._series_of(number), contents)
        return Sum(cells, exemplars)

    def lacks(self, sources: Sequence[Source]) -> dict[int, list[float]]:
        """Return what the rounded totals lack, by cell."""
        every = _cells(sources)
        return {at: lacks for merged in self.metrics for at, lacks in merged.lacks(every)}

    def dated(self, definition: Definition, cells: Sequence[float]) -> dict[Values, tuple[float, float]]:
        """Return the first two cells of each series of one metric."""
        return {
            values: (cells[at], cells[at + 1])
            for merged in self.metrics
            if merged.family.definition.name == definition.name
            for values, at in merged.places()
        }

    def _series_of(self, number: int) -> _Series:
        found = self._series.get(number)
        if found is None:
            every = sorted(series for merged in self.metrics for series in merged.series(number))
            found = self._series[number] = _Series(*(array("q", [one[n] for one in every]) for n in range(3)))
        return found

    @staticmethod
    def _offer(found: dict[int, Exemplar], series: _Series, contents: Contents) -> None:
        """Take over the exemplars of a process that are later than those already there."""
        begins, ends, targets = series
        for position, exemplar in contents.exemplars.items():
            number = bisect_right(begins, position) - 1
            if number < 0 or position >= ends[number]:
                continue
            target = targets[number] + position - begins[number]
            before = found.get(target)
            if before is None or before.at < exemplar.at:
                found[target] = exemplar


def _cells(sources: Sequence[Source]) -> list[list[float]]:
    """Return the cells of every process, and behind them what it adds where it does not have a series."""
    return [[*contents.cells.tolist(), NOTHING] for contents, _ in sources]


def _versions(sources: Sequence[Source]) -> list[tuple[Hashable, bool]]:
    return [(contents.version, alive) for contents, alive in sources]


def _parts(sources: Sequence[Source]) -> dict[str, list[Part]]:
    """Return by name what the processes have of each metric, in the shape that comes first.

    Another shape is another version of the program; two under one name cannot be added.
    """
    found: dict[str, list[Part]] = {}
    for number, (contents, alive) in enumerate(sources):
        for block in contents.blocks:
            definition = block.family.definition
            counts = alive or definition.kind != "gauge" or definition.across == "latest"
            if not counts or not block.places:
                continue
            same = found.setdefault(definition.name, [])
            if not same or _shape(same[0].block.family.definition) == _shape(definition):
                same.append(Part(number, block, contents.rest))
    return found


def _shape(definition: Definition) -> tuple[object, ...]:
    return definition.kind, definition.labels, definition.buckets
