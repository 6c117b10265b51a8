"""Add up what the processes of a group have counted, the living and the dead."""

from __future__ import annotations

import math
from bisect import bisect_right
from operator import itemgetter
from typing import NamedTuple

from obs.runtime.metrics import exact
from obs.runtime.metrics.family import HEAD, Definition, Exemplar, Family, Row, Values
from obs.runtime.metrics.files import Contents


class _Kept(NamedTuple):
    family: Family
    rows: dict[Values, int]


class Sum:
    """Series of several processes, added up by signal and label values.

    With `capped`, no metric gets more series than one process may have: what is kept of the dead
    must not grow with each of them.
    """

    def __init__(self, *, capped: bool = False) -> None:
        self._capped = capped
        self.cells: list[float] = []
        self.exemplars: dict[int, Exemplar] = {}
        #: What the totals of counters and sums of histograms lack, by cell.
        self.rest: dict[int, list[float]] = {}
        self._kept: dict[str, _Kept] = {}
        #: First cells of gauges that some process could read, and of those that some could not.
        self._read: set[int] = set()
        self._unread: set[int] = set()

    def add(self, contents: Contents, *, alive: bool) -> None:
        """Add what one process has written; a gauge of a dead one counts only where the latest is asked for."""
        cells, total = contents.cells.tolist(), self.cells
        before: Family | None = None
        known: dict[Values, int] | None = None
        end, kind = 0, ""
        for family, values, at in contents.rows:
            if family is not before:
                before, known = family, self._rows(family, alive=alive)
                end, kind = len(cells) - family.width, family.definition.kind
            if known is None or at > end:
                continue
            place = known.get(values)
            if place is None:
                place = self._place(family, known, values)
            if kind == "gauge":
                self._add_gauge(family.definition, place, cells[at], cells[at + 1])
                continue
            self._add_exactly(place, cells[at])
            for lacked in contents.rest.get(at, ()):
                self._add_exactly(place, lacked)
            born = cells[at + 1]
            if born and not 0 < total[place + 1] <= born:
                total[place + 1] = born
            for offset in range(HEAD, family.width):
                total[place + offset] += cells[at + offset]
        for position, exemplar in contents.exemplars.items():
            self._offer(contents, position, exemplar)

    def kept(self) -> list[tuple[Family, dict[Values, int]]]:
        """Return every metric with the first cell of each series, obs's own books included."""
        self._settle()
        return list(self._kept.values())

    def families(self) -> list[tuple[Family, list[Row]]]:
        """Return every metric with its rows, those of obs's own books left out."""
        self._settle()
        for at in self._unread - self._read:
            self.cells[at] = math.nan
        return [
            (family, [Row(values, family.starts(values), at) for values, at in rows.items()])
            for name, (family, rows) in self._kept.items()
            if not name.startswith("\0")
        ]

    def dated(self, definition: Definition) -> dict[Values, tuple[float, float]]:
        """Return the first two cells of each series of one metric."""
        self._settle()
        kept = self._kept.get(definition.name)
        cells = self.cells
        return (
            {} if kept is None else {values: (cells[at], cells[at + 1]) for values, at in kept.rows.items()}
        )

    def _add_exactly(self, at: int, more: float) -> None:
        before = self.cells[at]
        total = self.cells[at] = before + more
        # The shorter question first: nearly all additions are of whole numbers.
        if total - before != more or total - more != before:
            self.rest.setdefault(at, []).append(exact.lost(before, more, total))

    def _settle(self) -> None:
        """Round each total to the number nearest to the exact one, and keep what that lacks."""
        for at, lacks in self.rest.items():
            self.cells[at], *self.rest[at] = exact.parts([self.cells[at], *lacks])

    def _rows(self, family: Family, *, alive: bool) -> dict[Values, int] | None:
        """Return the first cell of each series of a metric; None when nothing may be added to it."""
        definition = family.definition
        if definition.kind == "gauge" and not alive and definition.across != "latest":
            return None
        kept = self._kept.setdefault(definition.name, _Kept(family, {}))
        same = kept.family.definition
        if (same.kind, same.labels, same.buckets) == (definition.kind, definition.labels, definition.buckets):
            return kept.rows
        # Another version of the program; two shapes under one name cannot be added.
        return None

    def _place(self, family: Family, known: dict[Values, int], values: Values) -> int:
        """Return the first of the cells, all zero, of a new series; of another one beyond the cap."""
        definition = family.definition
        if self._capped and definition.open and len(known) >= definition.cap:
            values = definition.overflowed(values)
            if values in known:
                return known[values]
        place = known[values] = len(self.cells)
        self.cells += [0.0] * family.width
        return place

    def _add_gauge(self, definition: Definition, at: int, value: float, when: float) -> None:
        cells = self.cells
        if definition.across == "sum":
            # What could not be read in one process must not hide what the others have.
            if math.isnan(value):
                self._unread.add(at)
            else:
                cells[at] += value
                self._read.add(at)
            return
        # Who has never set it has nothing to say.
        if not when:
            return
        before = cells[at + 1]
        wins = {
            "max": not value <= cells[at],
            "min": not value >= cells[at],
            "latest": when >= before,
        }[definition.across]
        if not before or wins:
            cells[at] = value
        cells[at + 1] = max(before, when)

    def _offer(self, contents: Contents, position: int, exemplar: Exemplar) -> None:
        place = bisect_right(contents.rows, position, key=itemgetter(2)) - 1
        if place < 0:
            return
        family, values, at = contents.rows[place]
        kept = self._kept.get(family.definition.name)
        if kept is None or kept.family.bounds != family.bounds or values not in kept.rows:
            return
        target = kept.rows[values] + position - at
        before = self.exemplars.get(target)
        if before is None or before.at < exemplar.at:
            self.exemplars[target] = exemplar
