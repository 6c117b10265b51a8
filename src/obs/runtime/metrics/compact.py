"""Keep a group small: what dead processes have counted becomes one file.

Readers hold the group's lock shared while this holds it exclusively, so nobody sees a process twice
or not at all. A kill in the middle changes nothing: the new file replaces the old one in one step and
names those whose numbers it has, should theirs still lie beside it.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from obs.runtime.json import dumps, loads
from obs.runtime.metrics.family import Definition, Exemplar, Family, Values
from obs.runtime.metrics.files import Contents, Reader, remove
from obs.runtime.metrics.group import Group
from obs.runtime.metrics.merge import Sum

RETAINED = "retained.json"


class Retained(NamedTuple):
    """What the dead have left, and whose files are in it."""

    contents: Contents
    absorbed: frozenset[str]


def read(folder: Path) -> Retained:
    """Return what is kept of dead processes in `folder`."""
    rows: list[tuple[Family, Values, int]] = []
    cells = array("d")
    exemplars: dict[int, Exemplar] = {}
    rest: dict[int, array[float]] = {}
    data: dict[str, Any] = {"absorbed": [], "metrics": []}
    with suppress(FileNotFoundError):
        data = loads((folder / RETAINED).read_bytes())
    for definition, series in data["metrics"]:
        family = Family(Definition.read(definition))
        for values, numbers, marks, lacks in series:
            at = len(cells)
            if lacks:
                rest[at] = _unpacked(lacks)
            rows.append((family, tuple(values), at))
            cells.extend(_unpacked(numbers))
            exemplars.update(
                {at + offset: Exemplar(*ids, *_unpacked(numbers)) for offset, *ids, numbers in marks}
            )
    return Retained(Contents(rows, cells, exemplars, rest), frozenset(data["absorbed"]))


def compact(group: Group, *, at_least: int) -> None:
    """Add up the files of dead processes when there are `at_least` so many and nobody is reading."""
    if len(group.names()) < at_least or len(_dead(group, group.names())) < at_least:
        return
    with group.locked(exclusive=True) as alone:
        if not alone:
            return
        folder = group.folder
        retained = read(folder)
        for name in retained.absorbed:
            remove(folder, name)
        dead = _dead(group, group.names())
        total, reader = Sum(capped=True), Reader()
        total.add(retained.contents, alive=False)
        for name in dead:
            total.add(reader.read(folder, name), alive=False)
        fresh = folder / f"{RETAINED}.new"
        fresh.write_bytes(dumps({"absorbed": dead, "metrics": _plain(total)}))
        fresh.replace(folder / RETAINED)
        for name in dead:
            remove(folder, name)


def _dead(group: Group, names: Iterable[str]) -> list[str]:
    return [name for name in names if not group.is_alive(name)]


def _plain(total: Sum) -> list[Any]:
    """Return `total` as JSON values."""
    plain = []
    for family, rows in total.kept():
        series = [
            [
                list(values),
                _packed(total.cells[at : at + family.width]),
                [
                    [offset, mark.trace_id, mark.span_id, _packed((mark.value, mark.at))]
                    for offset in range(family.width)
                    if (mark := total.exemplars.get(at + offset))
                ],
                _packed(total.rest.get(at, ())),
            ]
            for values, at in rows.items()
        ]
        plain.append([family.definition.plain(), series])
    return plain


def _packed(numbers: Iterable[float]) -> str:
    """Return numbers as text: JSON itself has none for infinity, which a histogram may well observe."""
    return array("d", numbers).tobytes().hex()


def _unpacked(text: str) -> array[float]:
    return array("d", bytes.fromhex(text))
