"""Add up what the processes of a group have counted, the living and the dead."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from operator import itemgetter
from typing import NamedTuple

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
        self._kept: dict[str, _Kept] = {}

    def add(self, contents: Contents, *, alive: bool) -> None:
        """Add what one process has written; a gauge of a dead one counts only where the latest is asked for."""
        cells, size = contents.cells, len(contents.cells)
        for family, values, at in contents.rows:
            if at + family.width <= size:
                self._add(family, values, cells[at : at + family.width], alive=alive)
        for position, exemplar in contents.exemplars.items():
            self._offer(contents, position, exemplar)

    def kept(self) -> list[tuple[Family, dict[Values, int]]]:
        """Return every metric with the first cell of each series, obs's own books included."""
        return list(self._kept.values())

    def families(self) -> list[tuple[Family, list[Row]]]:
        """Return every metric with its rows, those of obs's own books left out."""
        return [
            (family, [Row(values, family.starts(values), at) for values, at in rows.items()])
            for name, (family, rows) in self._kept.items()
            if not name.startswith("\0")
        ]

    def dated(self, definition: Definition) -> dict[Values, tuple[float, float]]:
        """Return the first two cells of each series of one metric."""
        kept = self._kept.get(definition.name)
        cells = self.cells
        return (
            {} if kept is None else {values: (cells[at], cells[at + 1]) for values, at in kept.rows.items()}
        )

    def _add(self, family: Family, values: Values, numbers: Sequence[float], *, alive: bool) -> None:
        definition = family.definition
        if definition.kind == "gauge" and not alive and definition.across != "latest":
            return
        kept = self._kept.get(definition.name)
        if kept is None:
            kept = self._kept[definition.name] = _Kept(family, {})
        elif kept.family.bounds != family.bounds or kept.family.definition.labels != definition.labels:
            # Another version of the program; two shapes under one name cannot be added.
            return
        if self._capped and values not in kept.rows and definition.open and len(kept.rows) >= definition.cap:
            values = definition.overflowed(values)
        at = kept.rows.get(values)
        if at is None:
            kept.rows[values] = len(self.cells)
            self.cells += numbers
            return
        if definition.kind == "gauge":
            self._add_gauge(definition, at, numbers)
            return
        cells = self.cells
        cells[at] += numbers[0]
        cells[at + 1] = min(filter(None, (cells[at + 1], numbers[1])), default=0.0)
        for offset in range(HEAD, family.width):
            cells[at + offset] += numbers[offset]

    def _add_gauge(self, definition: Definition, at: int, numbers: Sequence[float]) -> None:
        cells, (value, when) = self.cells, numbers
        if definition.across == "sum":
            # What could not be read in one process must not hide what the others have.
            cells[at] = value if math.isnan(cells[at]) else cells[at] + (0.0 if math.isnan(value) else value)
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
