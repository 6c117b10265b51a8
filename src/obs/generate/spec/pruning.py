"""Take out of a spec what is broken, so that reading it again finds the next mistake.

Readers raise at the first mistake, which keeps them plain. A check wants all of them: after each, the
smallest entry at its place is dropped and the spec is read again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from obs.errors import ObsError
from obs.generate.model import Place
from obs.generate.spec.document import Entry, Node

#: What a name is that was refused.
UNNAMED = "unnamed"
#: Stand for required values that are refused or missing, so that what stands beside them is read too.
_STAND_INS: Mapping[str, str] = {
    "name": UNNAMED, "team": UNNAMED, "version": "obs/v1", "objective": "99", "schedule": "1h",
    "grace": "1h", "severity": "page", "from": "00:00", "to": "24:00", "reason": "unknown", "title": "untitled",
    "description": "none", "unit": "short",
}  # fmt: skip
#: How the place of a stand-in ends: nobody wrote it.
_NOWHERE = ":0"
_NEEDS = re.compile(r" needs '(\w+)'")
#: What a reader says of a mapping that is empty because of what was dropped.
_ECHO = re.compile(
    r" needs | changes nothing| expects nothing| empty list|no test says|got 0 dates|expected 1 to \d+ labels"
)
_Path: TypeAlias = tuple[str | int, ...]


@dataclass(slots=True)
class Pruner:
    """A spec from which mistakes are taken one by one; says which of them are only echoes of earlier ones."""

    root: Node
    #: Places above what was dropped: what is missing there now is our doing.
    _emptied: set[str] = field(default_factory=set)
    _seen: set[str] = field(default_factory=set)

    def is_echo(self, error: ObsError) -> bool:
        """Tell whether `error` follows from what was dropped before."""
        where = error.where or ""
        return (
            where.endswith(_NOWHERE)
            or where in self._seen
            or (where in self._emptied and bool(_ECHO.search(error.message)))
        )

    def drop(self, error: ObsError) -> bool:
        """Drop what stands at the place of `error`; return whether there was anything to drop."""
        place = _place(error.where)
        if place is None:
            return False
        needed = _NEEDS.search(error.message)
        if needed and needed[1] in _STAND_INS and self._add(place, needed[1]):
            return True
        path = _find(self.root, place, error.message, ())
        if not path:
            return False
        if place.column == 0:
            # With a stand-in it cannot be right, either: away with all of it.
            path = path[:-1] or path
        if not self.is_echo(error):
            self._seen.add(str(place))
        node = self.root
        for key in path[:-1]:
            self._emptied.add(str(node.place))
            node = _child(node, key)
        self._emptied.add(str(node.place))
        self.root = _without(self.root, path)
        return True

    def _add(self, place: Place, key: str) -> bool:
        """Put the stand-in of a key that is missing into the mapping at `place`."""
        changed = _with(self.root, place, key)
        if changed is None:
            return False
        self.root = changed
        return True


def _place(where: str | None) -> Place | None:
    file, _, position = (where or "").rpartition(":")
    file, _, line = file.rpartition(":")
    if not file or not line.isdigit() or not position.isdigit():
        return None
    return Place(file, int(line), int(position))


def _find(node: Node, place: Place, message: str, path: _Path) -> _Path | None:
    """Return the way to what `message` is about: the innermost entry or item at `place`.

    A mapping in block style stands where its first key stands; the key is meant only if it is named.
    """
    if isinstance(node.value, Mapping):
        for key, entry in node.value.items():
            inner = _find(entry.node, place, message, (*path, key))
            if inner is not None:
                return inner
            if entry.key == place and (
                node.place != place or re.search(rf"(?<!\w){re.escape(key)}(?!\w)", message)
            ):
                return (*path, key)
    elif isinstance(node.value, tuple):
        for number, item in enumerate(node.value):
            inner = _find(item, place, message, (*path, number))
            if inner is not None:
                return inner
    return path if path and node.place == place else None


def _with(node: Node, place: Place, key: str) -> Node | None:
    """Return `node` with the stand-in of `key` in the innermost mapping at `place` that lacks it."""
    if isinstance(node.value, Mapping):
        for name, entry in node.value.items():
            inner = _with(entry.node, place, key)
            if inner is not None:
                return Node(node.place, {**node.value, name: Entry(entry.key, inner)})
        if node.place == place and (key not in node.value or node.value[key].node.value is None):
            nowhere = Place(place.file, place.line, 0)
            return Node(node.place, {**node.value, key: Entry(nowhere, Node(nowhere, _STAND_INS[key]))})
    elif isinstance(node.value, tuple):
        for number, item in enumerate(node.value):
            inner = _with(item, place, key)
            if inner is not None:
                return Node(node.place, (*node.value[:number], inner, *node.value[number + 1 :]))
    return None


def _child(node: Node, key: str | int) -> Node:
    if isinstance(node.value, Mapping):
        return node.value[str(key)].node
    assert isinstance(node.value, tuple)  # noqa: S101 - the path was found in this tree
    return node.value[int(key)]


def _without(node: Node, path: _Path) -> Node:
    first, *rest = path
    if isinstance(node.value, Mapping):
        entries = dict(node.value)
        entry = entries[str(first)]
        if rest:
            entries[str(first)] = Entry(entry.key, _without(entry.node, tuple(rest)))
        elif first in _STAND_INS and entry.node.value != _STAND_INS[str(first)]:
            entries[str(first)] = Entry(entry.key, Node(entry.node.place, _STAND_INS[str(first)]))
        else:
            del entries[str(first)]
        return Node(node.place, entries)
    assert isinstance(node.value, tuple)  # noqa: S101 - the path was found in this tree
    items = list(node.value)
    if rest:
        items[int(first)] = _without(items[int(first)], tuple(rest))
    else:
        del items[int(first)]
    return Node(node.place, tuple(items))
