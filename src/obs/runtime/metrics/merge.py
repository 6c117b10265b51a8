"""One metric of several processes: its rows, and how the numbers of each row come together."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, count, repeat
from typing import NamedTuple

from obs.catalogue.signal import Across
from obs.runtime.metrics import exact
from obs.runtime.metrics.family import HEAD, Row, Values
from obs.runtime.metrics.reader import Block

#: What stands behind the cells of each process, and is its number of a series that it does not have.
NOTHING = 0.0
_NOWHERE = -1


class Part(NamedTuple):
    """What one process has of a metric, and what its totals lack."""

    source: int
    block: Block
    rest: Mapping[int, Sequence[float]]


class _Column(NamedTuple):
    """Where one process has the rows of a metric."""

    source: int
    places: list[int]


class Merged:
    """The rows of one metric, which begin at `at` of all cells, and where each process has its numbers."""

    def __init__(self, parts: Sequence[Part], at: int) -> None:
        self.family = parts[0].block.family
        self.values: list[Values] = list(
            dict.fromkeys(chain.from_iterable(part.block.places for part in parts))
        )
        self._at = at
        self._columns: list[_Column] = []
        self._rest: list[list[float]] = []
        self._born = [0.0] * len(self.values)
        #: By column the rows of which it is not known when the process made them.
        self._unborn: list[list[int]] = []
        for number, block, rest in parts:
            places = list(map(block.places.get, self.values, repeat(_NOWHERE)))
            self._columns.append(_Column(number, places))
            self._unborn.append([row for row, place in enumerate(places) if place >= 0])
            if rest:
                self._rest += _filled([rest.get(place, ()) for place in places])

    def rows(self, before: Iterable[Row] = ()) -> list[Row]:
        """Return what a scrape shows, but the numbers; with the beginnings of lines that `before` has."""
        known = {row.values: row.starts for row in before}
        begin = self.family.starts
        return [Row(values, known.get(values) or begin(values), at) for values, at in self.places()]

    def places(self) -> Iterator[tuple[Values, int]]:
        """Return the first cell of each row."""
        return zip(self.values, count(self._at, self.family.width), strict=False)

    def series(self, source: int) -> Iterator[tuple[int, int, int]]:
        """Return where each series of a process begins, ends, and is in the sum."""
        width = self.family.width
        for number, places in self._columns:
            if number == source:
                for n, place in enumerate(places):
                    if place >= 0:
                        yield place, place + width, self._at + n * width

    def add_up(self, every: Sequence[Sequence[float]]) -> list[float]:
        """Return the numbers of all rows from the cells of every process."""
        if self.family.definition.kind == "gauge":
            return self._gauges(every)
        width = self.family.width
        found = [0.0] * (len(self.values) * width)
        found[::width] = exact.totals(self._terms(every))
        found[1::width] = self._births(every)
        if self.family.definition.kind == "histogram":
            for at, buckets in zip(count(HEAD, width), self._buckets(every)):
                found[at : at + width - HEAD] = buckets
        return found

    def _terms(self, every: Sequence[Sequence[float]]) -> list[list[float]]:
        """Return what the totals of all rows are the sums of."""
        return [*self._rest, *([every[number][at] for at in places] for number, places in self._columns)]

    def lacks(self, every: Sequence[Sequence[float]]) -> Iterator[tuple[int, list[float]]]:
        """Return what the rounded totals of rows lack, by cell."""
        if self.family.definition.kind != "gauge":
            for (_, at), terms in zip(self.places(), zip(*self._terms(every), strict=True), strict=True):
                if lacks := exact.parts(terms)[1:]:
                    yield at, lacks

    def _births(self, every: Sequence[Sequence[float]]) -> list[float]:
        """Return when each row was created: in the process that had it first."""
        born = self._born
        for (number, places), unborn in zip(self._columns, self._unborn, strict=True):
            cells = every[number]
            for row in unborn:
                when = cells[places[row] + 1]
                if when and not 0 < born[row] <= when:
                    born[row] = when
            # What is known does not change. Zero it is a moment long, and in a child that has it from its parent.
            unborn[:] = [row for row in unborn if not cells[places[row] + 1]]
        return born

    def _buckets(self, every: Sequence[Sequence[float]]) -> Iterator[Iterable[float]]:
        width = self.family.width
        for has in self._having(every):
            yield map(sum, zip(*[cells[at + HEAD : at + width] for cells, at in has], strict=True))

    def _gauges(self, every: Sequence[Sequence[float]]) -> list[float]:
        across, found = self.family.definition.across, list[float]()
        for has in self._having(every):
            found += _level(across, [(cells[at], cells[at + 1]) for cells, at in has])
        return found

    def _having(self, every: Sequence[Sequence[float]]) -> Iterator[list[tuple[Sequence[float], int]]]:
        """Return for each row the cells of the processes that have it, and where it is in them."""
        cells = [every[number] for number, _ in self._columns]
        for places in zip(*(places for _, places in self._columns), strict=True):
            yield [pair for pair in zip(cells, places, strict=True) if pair[1] >= 0]


def _filled(lacks: Sequence[Sequence[float]]) -> list[list[float]]:
    """Return rows of different lengths as columns of one."""
    return [
        [row[n] if n < len(row) else 0.0 for row in lacks] for n in range(max(map(len, lacks), default=0))
    ]


def _level(across: Across, settings: Iterable[tuple[float, float]]) -> tuple[float, float]:
    """Return a gauge's value and when it was set, from what each process has set it to and when."""
    if across == "sum":
        return _plain_sum([value for value, _ in settings]), 0.0
    kept, latest = 0.0, 0.0
    for value, when in settings:
        # Who has never set it has nothing to say.
        if not when:
            continue
        wins = {"max": not value <= kept, "min": not value >= kept, "latest": when >= latest}[across]
        if not latest or wins:
            kept = value
        latest = max(latest, when)
    return kept, latest


def _plain_sum(values: Sequence[float]) -> float:
    # What could not be read in one process must not hide what the others have.
    known = [value for value in values if not math.isnan(value)]
    total = 0.0 if known else math.nan
    for value in known:
        total += value
    return total
