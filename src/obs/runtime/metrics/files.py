"""The files of one process in its group: numbers, an index that says what they are, exemplars.

`NAME.values`
    the cells, eight bytes each, mapped into memory: a number is written without a call of the
    system.
`NAME.index`
    a line of JSON a metric or a series, in the order of their creation; only ever appended to. The
    process holds a lock on it while it lives: not on the values, because a mapping keeps its file open,
    in a forked child as well.
`NAME.exemplars`
    a record a cell that has one, with a checksum, because it may be read while it is written.
"""

from __future__ import annotations

import mmap
import os
import struct
import zlib
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

from obs.runtime.json import dumps
from obs.runtime.metrics.family import Exemplar, Family, Values
from obs.runtime.metrics.group import INDEX, VALUES, hold

EXEMPLARS = ".exemplars"
#: A series: of which metric, its label values, its first cell.
Entry: TypeAlias = tuple[Family, Values, int]
_CELL = 8
_PAGE = 4096
RECORD = struct.Struct("=II16s8sdd")
_CHECKED = struct.Struct("=I16s8sdd")


class Index:
    """The lines of an index: a metric with its number, a series with that of its metric and its first cell."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self._numbers: dict[int, int] = {}
        self.text = bytearray()
        for entry in entries:
            self.text += self.lines(entry)
            self.has(entry)

    def lines(self, entry: Entry) -> bytes:
        """Return the lines that a series needs."""
        family, values, at = entry
        number = self._numbers.get(id(family))
        if number is not None:
            return dumps([number, at, list(values)]) + b"\n"
        number = len(self._numbers)
        return b"%b\n%b\n" % (dumps([number, family.definition.plain()]), dumps([number, at, list(values)]))

    def has(self, entry: Entry) -> None:
        """Know that the lines of a series are written."""
        self._numbers.setdefault(id(entry[0]), len(self._numbers))


class Files:
    """What this process writes; its cells may be used as long as it is open."""

    def __init__(self, folder: Path, name: str, index: Index, size: int) -> None:
        self.name = name
        self._folder = folder
        self._index = index
        #: Series that are yet to be written down, and whether somebody is at it.
        self._waiting: list[Entry] = []
        self._writing = False
        self._descriptors: list[int] = []
        self._slots: dict[int, int] = {}
        self._exemplars = -1
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        # The index first: a process is known by its values, and must be complete and alive by then.
        self._lines = self._open(INDEX, flags | os.O_APPEND)
        hold(self._lines)
        _write(self._lines, bytes(index.text))
        self._values = self._open(VALUES, flags)
        self._capacity = 0
        self.cells: memoryview[float]
        self._map(size)

    def _open(self, suffix: str, flags: int) -> int:
        descriptor = os.open(self._folder / f"{self.name}{suffix}", flags, 0o600)
        self._descriptors.append(descriptor)
        return descriptor

    def _map(self, size: int) -> None:
        """Have room for `size` cells at least."""
        capacity = max(self._capacity, _PAGE)
        while capacity < size * _CELL:
            capacity *= 2
        # Reserved on the disk: writing to a hole of a full disk would kill the process.
        os.posix_fallocate(self._values, 0, capacity)
        cells = memoryview(mmap.mmap(self._values, capacity)).cast("d")
        # A signal's handler may have made even more room meanwhile.
        if capacity > self._capacity:
            self.cells, self._capacity = cells, capacity

    def add(self, family: Family, values: Values, at: int) -> None:
        """Make room for a series and say what it is.

        In the middle of another one, in a signal's handler or for the garbage collector, it only waits: the
        interrupted call writes both, in order.
        """
        end = at + family.width
        if end * _CELL > self._capacity:
            self._map(end)
        self._waiting.append((family, values, at))
        # Again where one came after the last look.
        while self._waiting and not self._writing:
            self._writing = True
            try:
                while self._waiting:
                    entry = self._waiting[0]
                    _write(self._lines, self._index.lines(entry))
                    self._index.has(entry)
                    del self._waiting[0]
            finally:
                self._writing = False

    def mark(self, at: int, exemplar: Exemplar) -> None:
        """Write the exemplar of a cell, in place of the one before it."""
        if self._exemplars < 0:
            self._exemplars = self._open(EXEMPLARS, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
        slot = self._slots.setdefault(at, len(self._slots))
        os.pwrite(self._exemplars, _pack(at, exemplar), slot * RECORD.size)

    def close(self) -> None:
        """Give up the lock; the files stay for others to add up."""
        while self._descriptors:
            with suppress(OSError):
                os.close(self._descriptors.pop())


def remove(folder: Path, name: str) -> None:
    """Remove the files of a process, the one it is known by at last."""
    for suffix in (EXEMPLARS, INDEX, VALUES):
        (folder / f"{name}{suffix}").unlink(missing_ok=True)


def _write(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def _pack(at: int, exemplar: Exemplar) -> bytes:
    body = _CHECKED.pack(
        at, bytes.fromhex(exemplar.trace_id), bytes.fromhex(exemplar.span_id), exemplar.value, exemplar.at
    )
    return struct.pack("=I", zlib.crc32(body)) + body
