"""Where the numbers of all series live: cells of one process, until a process forks or is a worker."""

from __future__ import annotations

import threading
from array import array
from collections.abc import Sequence
from typing import Protocol

from obs.runtime.metrics.family import Exemplar, Family, Values


class Cells(Protocol):
    """Numbers by position."""

    def __getitem__(self, at: int, /) -> float:
        """Return the number at `at`."""

    def __setitem__(self, at: int, value: float, /) -> None:
        """Replace the number at `at`."""

    def tolist(self) -> list[float]:
        """Return all numbers."""


class Store:
    """Cells and exemplars; whoever changes a number holds `lock` meanwhile.

    A series keeps its position for ever. What stands behind `cells` may change at any time, so it
    is asked for again under the lock.
    """

    def __init__(self) -> None:
        # Re-entrant, because a signal handler may count while this very thread is counting.
        self.lock = threading.RLock()
        self.cells: Cells = array("d")
        self.exemplars: dict[int, Exemplar] = {}
        self.entries: list[tuple[Family, Values, int]] = []
        self._size = 0

    def allocate(self, family: Family, values: Values) -> int:
        """Return the first of the cells, all zero, of a new series."""
        with self.lock:
            at = self._size
            self._size += family.width
            self.entries.append((family, values, at))
            cells = self.cells
            if isinstance(cells, array):
                cells.extend([0.0] * family.width)
            return at

    def set(self, at: int, numbers: Sequence[float]) -> None:
        """Replace the numbers from `at` on."""
        with self.lock:
            cells = self.cells
            for offset, number in enumerate(numbers):
                cells[at + offset] = number

    def mark(self, at: int, exemplar: Exemplar) -> None:
        """Remember the span behind the latest event of a cell."""
        self.exemplars[at] = exemplar
