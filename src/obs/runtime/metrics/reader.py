"""Read what the processes of a group have written, and what is new of it only once."""

from __future__ import annotations

import zlib
from array import array
from collections.abc import Hashable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from obs.runtime.json import loads
from obs.runtime.metrics.family import Definition, Exemplar, Family, Values
from obs.runtime.metrics.files import EXEMPLARS, RECORD
from obs.runtime.metrics.group import INDEX, VALUES


class Block(NamedTuple):
    """The series of one metric in the cells of one process: their first cells, in the order of creation."""

    family: Family
    places: dict[Values, int]


class Contents(NamedTuple):
    """What a process has written so far."""

    blocks: Sequence[Block]
    cells: array[float]
    exemplars: Mapping[int, Exemplar]
    #: What the sums of the dead lack, by cell; a process that counts for itself has none.
    rest: Mapping[int, Sequence[float]] = MappingProxyType({})
    #: Two contents with the same one have the same series, in the same cells.
    version: Hashable = None


class _Known:
    """What has been read of one process."""

    def __init__(self) -> None:
        self.offset = 0
        self.blocks: list[Block] = []
        #: The one of each metric, by its number in the index, that takes new series.
        self.latest: dict[int, Block] = {}
        #: Cells that the series take.
        self.size = 0
        self.marks = b""
        self.exemplars: dict[int, Exemplar] = {}


class Reader:
    """Reads the files of a group's processes, and each line of an index only once.

    Processes of one group have the same metrics and mostly the same series: of these there is one copy.
    """

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}
        self._families: dict[Definition, Family] = {}
        self._values: dict[Values, Values] = {}

    def read(self, folder: Path, name: str) -> Contents:
        """Return what the process with `name` has written; raises FileNotFoundError without files."""
        known = self._known.setdefault(name, _Known())
        with (folder / f"{name}{INDEX}").open("rb") as lines:
            lines.seek(known.offset)
            # What follows the last line's end is still being written.
            complete, end, _ = lines.read().rpartition(b"\n")
        if end:
            self._learn(known, loads(b"[%b]" % complete.replace(b"\n", b",")))
            known.offset += len(complete) + len(end)
        cells = array("d")
        # The file has room for more.
        cells.frombytes((folder / f"{name}{VALUES}").read_bytes()[: known.size * cells.itemsize])
        _look(known, folder / f"{name}{EXEMPLARS}")
        # A series never moves: with as many cells there are the same series.
        size = min(known.size, len(cells))
        blocks = known.blocks if size == known.size else _within(known.blocks, size)
        return Contents(blocks, cells, known.exemplars, version=(name, size))

    def family(self, definition: Definition) -> Family:
        """Return the one family with `definition`."""
        found = self._families.get(definition)
        if found is None:
            found = self._families[definition] = Family(definition)
        return found

    def values(self, given: Iterable[str]) -> Values:
        """Return the one copy of these label values."""
        values = tuple(given)
        return self._values.setdefault(values, values)

    def keep_only(self, names: Sequence[str]) -> None:
        """Forget the processes that are not in `names`, and what only they had."""
        gone = self._known.keys() - names
        if not gone:
            return
        for name in gone:
            del self._known[name]
        blocks = [block for known in self._known.values() for block in known.blocks]
        self._families = {family.definition: family for family, _ in blocks}
        self._values = {values: values for _, places in blocks for values in places}

    def _learn(self, known: _Known, entries: Iterable[Any]) -> None:
        for number, *entry in entries:
            if len(entry) == 1:
                # Twice where an exception of a signal's handler came in between.
                if number not in known.latest:
                    known.latest[number] = Block(self.family(Definition.read(entry[0])), {})
                    known.blocks.append(known.latest[number])
                continue
            at, given = entry
            values = self.values(given)
            family, places = known.latest[number]
            if places.get(values, at) != at:
                # Made once more by a signal's handler that came in between: both count.
                known.latest[number] = Block(family, {values: at})
                known.blocks.append(known.latest[number])
            places.setdefault(values, at)
            known.size = max(known.size, at + family.width)


def _within(blocks: Iterable[Block], size: int) -> list[Block]:
    """Return the series whose cells are all among the first `size`."""
    return [
        Block(family, {values: at for values, at in places.items() if at + family.width <= size})
        for family, places in blocks
    ]


def _look(known: _Known, path: Path) -> None:
    """Learn the exemplars that are others than the last time."""
    marks = b""
    with suppress(FileNotFoundError):
        marks = path.read_bytes()
    before, known.marks = known.marks, marks
    if marks == before:
        return
    for start in range(0, len(marks) - RECORD.size + 1, RECORD.size):
        record = marks[start : start + RECORD.size]
        if record == before[start : start + RECORD.size]:
            continue
        check, at, trace_id, span_id, value, when = RECORD.unpack(record)
        # One that is half written counts as soon as it is whole.
        if zlib.crc32(record[4:]) == check:
            known.exemplars[at] = Exemplar(trace_id.hex(), span_id.hex(), value, when)
