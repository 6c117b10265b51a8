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
from contextlib import suppress
from pathlib import Path

from obs.runtime.json import dumps
from obs.runtime.metrics.family import Exemplar, Family, Values
from obs.runtime.metrics.group import INDEX, VALUES, hold

EXEMPLARS = ".exemplars"
_CELL = 8
_PAGE = 4096
RECORD = struct.Struct("=II16s8sdd")
_CHECKED = struct.Struct("=I16s8sdd")


class Index:
    """The lines of an index."""

    def __init__(self) -> None:
        self.text = bytearray()
        self._numbers: dict[int, int] = {}

    def add(self, family: Family, values: Values, at: int) -> bytes:
        """Return the lines that a series needs."""
        lines = b""
        number = self._numbers.get(id(family))
        if number is None:
            number = self._numbers[id(family)] = len(self._numbers)
            lines = dumps(family.definition.plain()) + b"\n"
        lines += dumps([number, at, list(values)]) + b"\n"
        self.text += lines
        return lines


class Files:
    """What this process writes; its cells may be used as long as it is open."""

    def __init__(self, folder: Path, name: str, index: Index, size: int) -> None:
        self.name = name
        self._folder = folder
        self._index = index
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
        self.cells = self._map(size)

    def _open(self, suffix: str, flags: int) -> int:
        descriptor = os.open(self._folder / f"{self.name}{suffix}", flags, 0o600)
        self._descriptors.append(descriptor)
        return descriptor

    def _map(self, size: int) -> memoryview[float]:
        capacity = max(self._capacity, _PAGE)
        while capacity < size * _CELL:
            capacity *= 2
        if capacity > self._capacity:
            # Reserved on the disk: writing to a hole of a full disk would kill the process.
            os.posix_fallocate(self._values, 0, capacity)
            self._capacity = capacity
        return memoryview(mmap.mmap(self._values, capacity)).cast("d")

    def add(self, family: Family, values: Values, at: int) -> None:
        """Make room for a series and say what it is."""
        lines = self._index.add(family, values, at)
        if (at + family.width) * _CELL > self._capacity:
            self.cells = self._map(at + family.width)
        _write(self._lines, lines)

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
