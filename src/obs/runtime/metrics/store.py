"""Where the numbers of all series live: cells of one process, until a process forks or is a worker."""

from __future__ import annotations

import threading
import time
from array import array
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from obs.runtime import guard, tally
from obs.runtime.metrics.compact import compact
from obs.runtime.metrics.family import Definition, Exemplar, Family, Values
from obs.runtime.metrics.files import Files, Index, remove
from obs.runtime.metrics.group import Group, new_name
from obs.runtime.metrics.refresher import Refresher

#: What obs counts of itself, in the files of a group; no metric can have such a name.
TALLY = Definition("\0tally", "counter", "", ("kind", "key"))
#: CPU seconds of a process as far as a scrape has shown them: they must not vanish with it.
CPU = Definition("\0cpu", "counter", "", ("mode",))
MODES = ("user", "system")
#: Dead processes whose files are added up at the latest when another one makes its own.
_MOST_DEAD = 16


class _Pending:
    """Cells of a process that has files as soon as it changes a number: many children never do."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __getitem__(self, at: int) -> float:
        return self._store.open()[at]

    def __setitem__(self, at: int, value: float) -> None:
        self._store.open()[at] = value

    def tolist(self) -> list[float]:
        return list(self._store.open())

    def __iter__(self) -> Iterator[float]:
        return iter(self._store.open())


#: Numbers by position, of this process alone, in its files, or not yet there.
Cells: TypeAlias = "array[float] | memoryview[float] | _Pending"


class Store:
    """Cells and exemplars; whoever changes a number holds `lock` meanwhile.

    A series keeps its position for ever. What stands behind `cells` may change at any time, so it
    is asked for again under the lock.
    """

    def __init__(self, refresh: Callable[[], None]) -> None:
        # Re-entrant, because a signal handler may count while this very thread is counting.
        self.lock = threading.RLock()
        self.cells: Cells = array("d")
        self.exemplars: dict[int, Exemplar] = {}
        self.entries: list[tuple[Family, Values, int]] = []
        self.group: Group | None = None
        self.refresher = Refresher(refresh)
        self._tracked = False
        self._size = 0
        self._files: Files | None = None
        self._has_cpu = False
        self._tally = Family(TALLY)
        self._cpu = Family(CPU)
        self._counts: dict[tuple[str, str], int] = {}

    @property
    def name(self) -> str:
        """Return the name of this process's files, empty while it has none."""
        return self._files.name if self._files is not None else ""

    def allocate(self, family: Family, values: Values) -> int:
        """Return the first of the cells, all zero, of a new series."""
        width = family.width
        with self.lock:
            at = self._size
            # No call stands in between, after which another series could come to the same place.
            self._size = at + width
            self.entries.append((family, values, at))
            if self._files is not None:
                self._files.add(family, values, at)
                self.cells = self._files.cells
            elif isinstance(self.cells, array):
                # Also for the place of one that was given up half made, by an exception of a signal's handler.
                self.cells.extend([0.0] * (self._size - len(self.cells)))
            return at

    def set(self, at: int, numbers: Sequence[float]) -> None:
        """Replace the numbers from `at` on."""
        with self.lock:
            cells = self.cells
            for offset, number in enumerate(numbers):
                cells[at + offset] = number

    def mark(self, at: int, exemplar: Exemplar) -> None:
        """Remember the span behind the latest event of a cell."""
        with self.lock:
            if self._files is not None:
                self._files.mark(at, exemplar)
            else:
                self.exemplars[at] = exemplar

    def track(self) -> None:
        """Know that some numbers are read from elsewhere, here and by nobody else."""
        self._tracked = True
        self.resume()

    def resume(self) -> None:
        """Keep what is tracked fresh where others see it."""
        if self._tracked and self._files is not None:
            self.refresher.start()

    def join(self, group: Group) -> None:
        """Belong to `group` from the first number on that changes."""
        with self.lock:
            self.group = group
            self.cells = _Pending(self)

    def promote(self, group: Group) -> None:
        """Move the numbers of this process into `group`, where others can read them."""
        with self.lock:
            if self.group is not None:
                return
            numbers, exemplars = self.cells.tolist()[: self._size], self.exemplars
            self.join(group)
            cells = self.open()
            for at, number in enumerate(numbers):
                cells[at] = number
            for at, exemplar in exemplars.items():
                self.mark(at, exemplar)

    def open(self) -> Cells:
        """Make the files of this process, and return the cells in them.

        Where that cannot be, the process keeps its numbers to itself from now on.
        """
        with self.lock:
            if self._files is None and self.group is not None:
                try:
                    self._open(self.group)
                except Exception as error:
                    self._keep_alone()
                    guard.report("metrics", error)
            return self.cells

    def _open(self, group: Group) -> None:
        if not self._has_cpu:
            self._has_cpu = True
            for mode in MODES:
                self.entries.append((self._cpu, (mode,), self._size))
                self._size += self._cpu.width
        # Anew in every child: a thread of the parent may have been half-way through a line.
        entries = list(self.entries)
        with group.locked():
            files = Files(group.folder, new_name(), Index(entries), self._size)
            if self._files is not None:
                # A signal's handler has counted, and made them, meanwhile.
                files.close()
                remove(group.folder, files.name)
                return
            self._files, self.cells = files, files.cells
            for entry in self.entries[len(entries) :]:
                files.add(*entry)
            self.cells = files.cells
        tally.mirror_to(self._mirror)
        self.resume()
        compact(group, at_least=_MOST_DEAD)

    def _mirror(self, kind: str, key: str, total: int) -> None:
        with self.lock:
            if self._files is None:
                return
            at = self._counts.get((kind, key))
            if at is None:
                at = self._counts.setdefault((kind, key), self.allocate(self._tally, (kind, key)))
                self.cells[at + 1] = tally.started
            number, cells = float(total), self.cells
            # Two threads, or a signal's handler and what it interrupts, may come here in the other order than
            # they counted in.
            if number > cells[at]:  # noqa: PLR1730 - after a call of max() a handler may have counted more
                cells[at] = number

    def renew(self) -> None:
        """Start from zero in the child of a fork, in files of its own once it counts."""
        self.lock = threading.RLock()
        self.refresher.forget()
        group = self.group
        if group is None:
            self._keep_alone()
            return
        group.forget_locks()
        self._close()
        self.join(group)

    def close(self) -> None:
        """Leave the group; what was counted stays in it."""
        self.refresher.stop()
        with self.lock:
            group, had_files = self.group, self._files is not None
            self._keep_alone()
        if group is not None and had_files:
            with guard.contained("metrics"):
                group.leave()

    def _keep_alone(self) -> None:
        """Keep numbers from zero on in this process only."""
        with self.lock:
            self._close()
            self.group = None
            self.cells = array("d", bytes(8 * self._size))
            now = time.time()
            for family, _, at in self.entries:
                if family.definition.kind != "gauge":
                    self.cells[at + 1] = now

    def _close(self) -> None:
        self.exemplars = {}
        if self._files is not None:
            tally.mirror_to(None)
            self._files.close()
            self._files = None
