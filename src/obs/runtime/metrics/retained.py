"""The file that keeps what dead processes have counted."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from obs.runtime.json import dumps, loads
from obs.runtime.metrics.family import Definition, Exemplar, Values
from obs.runtime.metrics.reader import Block, Contents, Reader

RETAINED = "retained.json"
_NOTHING = b'{"absorbed":[],"metrics":[]}'


class Series(NamedTuple):
    """One series of the dead: its cells, what its total lacks, the exemplar of each cell that has one."""

    numbers: Sequence[float]
    lacks: Sequence[float]
    exemplars: Mapping[int, Exemplar]


class Retained(NamedTuple):
    """What the dead have left, and whose files are in it."""

    contents: Contents
    absorbed: frozenset[str]


class RetainedReader:
    """Reads what is kept of the dead, anew only when it has become another."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        # Compared whole: a file that replaces another may have its number, size and time.
        self._data = _NOTHING
        self._version = 0
        self._read = _parsed(_NOTHING, reader, 0)

    def read(self, folder: Path) -> Retained:
        """Return what is kept of dead processes in `folder`."""
        data = _NOTHING
        with suppress(FileNotFoundError):
            data = (folder / RETAINED).read_bytes()
        if data != self._data:
            self._version += 1
            self._read = _parsed(data, self._reader, self._version)
            self._data = data
        return self._read


def write(
    folder: Path, absorbed: Sequence[str], metrics: Iterable[tuple[Definition, Mapping[Values, Series]]]
) -> None:
    """Replace what is kept of dead processes in `folder`, in one step."""
    plain = [
        [definition.plain(), [_plain(values, one) for values, one in series.items()]]
        for definition, series in metrics
    ]
    fresh = folder / f"{RETAINED}.new"
    fresh.write_bytes(dumps({"absorbed": absorbed, "metrics": plain}))
    fresh.replace(folder / RETAINED)


def _plain(values: Values, series: Series) -> list[Any]:
    marks = [
        [offset, mark.trace_id, mark.span_id, _packed((mark.value, mark.at))]
        for offset, mark in sorted(series.exemplars.items())
    ]
    return [list(values), _packed(series.numbers), marks, _packed(series.lacks)]


def _parsed(data: bytes, reader: Reader, version: int) -> Retained:
    blocks: list[Block] = []
    cells = array("d")
    exemplars: dict[int, Exemplar] = {}
    rest: dict[int, array[float]] = {}
    plain = loads(data)
    for definition, series in plain["metrics"]:
        block = Block(reader.family(Definition.read(definition)), {})
        blocks.append(block)
        for values, numbers, marks, lacks in series:
            at = block.places[reader.values(values)] = len(cells)
            if lacks:
                rest[at] = _unpacked(lacks)
            cells.extend(_unpacked(numbers))
            exemplars.update(
                {at + offset: Exemplar(*ids, *_unpacked(number)) for offset, *ids, number in marks}
            )
    return Retained(Contents(blocks, cells, exemplars, rest, version), frozenset(plain["absorbed"]))


def _packed(numbers: Iterable[float]) -> str:
    """Return numbers as text: JSON itself has none for infinity, which a histogram may well observe."""
    return array("d", numbers).tobytes().hex()


def _unpacked(text: str) -> array[float]:
    return array("d", bytes.fromhex(text))
