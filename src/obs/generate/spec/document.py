"""YAML text -> a tree of nodes that know where they stand; the only reader of YAML in the generator.

The tree is built from parser events and not by a constructor: positions stay, scalars keep the text
that was written (99.9 must become an exact decimal), and what could make a small file large or
ambiguous (aliases, tags, duplicate keys, deep nesting) is refused before it costs anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import yaml

from obs.errors import SpecError
from obs.generate.model import Place

#: A service spec is a page or two; a megabyte is no spec.
MAX_BYTES = 1_000_000
MAX_DEPTH = 20
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Entry:
    """A key of a mapping with its value."""

    key: Place
    node: Node


@dataclass(frozen=True, slots=True)
class Node:
    """A value at a place: text, None, a list or a mapping. Numbers are still text."""

    place: Place
    value: Value


Value: TypeAlias = str | tuple[Node, ...] | Mapping[str, Entry] | None


def read(path: Path) -> Node:
    """Read a YAML file; raise `SpecError` with line and column when it is not one plain document."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise SpecError(f"cannot read the spec: {error.strerror}", str(path)) from None
    if len(data) > MAX_BYTES:
        raise SpecError(f"larger than {MAX_BYTES:,} bytes: that is no service spec", str(path))
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise SpecError("not UTF-8 text", f"{path}:{line}") from None
    return parse(text, str(path))


def parse(text: str, file: str) -> Node:
    """Parse one YAML document; `file` names it in errors."""
    try:
        return _Builder(file).build(yaml.parse(text, Loader=_LOADER))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{file}:{mark.line + 1}:{mark.column + 1}" if mark else file
        raise SpecError(f"broken YAML: {error.problem}", where, error.context) from None
    except yaml.YAMLError as error:
        raise SpecError(f"broken YAML: {str(error).splitlines()[0]}", file) from None


def merge(base: Node, over: Node) -> Node:
    """Return `base` with `over` laid upon it: mappings merge by key, everything else is replaced."""
    if not isinstance(base.value, Mapping) or not isinstance(over.value, Mapping):
        return over
    merged = dict(base.value)
    for key, entry in over.value.items():
        below = merged.get(key)
        merged[key] = entry if below is None else Entry(entry.key, merge(below.node, entry.node))
    return Node(over.place, merged)


class _Builder:
    """Builds the tree with a stack of its own, so that nesting cannot exhaust Python's."""

    def __init__(self, file: str) -> None:
        self._file = file
        #: Open collections: (place, values so far, keys so far of a mapping or None, the waiting key).
        self._open: list[_Collection] = []
        self._root: Node | None = None

    def build(self, events: object) -> Node:
        documents = 0
        for event in events:  # type: ignore[attr-defined]  # the stubs give yaml.parse no return type
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise SpecError("a second document starts here: one file is one spec", self._where(event))
            elif isinstance(event, yaml.AliasEvent):
                raise SpecError(
                    f"alias *{event.anchor} is not supported",
                    self._where(event),
                    "share values with `extends: ./defaults.yml`",
                )
            elif isinstance(event, yaml.NodeEvent):
                self._node(event)
            elif isinstance(event, yaml.CollectionEndEvent):
                self._add(self._open.pop().close())
        if self._root is None:
            raise SpecError("the file is empty", self._file, "a spec starts with `version: obs/v1`")
        return self._root

    def _node(self, event: yaml.NodeEvent) -> None:
        tag = getattr(event, "tag", None)
        if tag is not None and tag != "!":
            raise SpecError(f"tag {tag} is not supported", self._where(event), "write a plain value")
        place = self._place(event)
        if isinstance(event, yaml.ScalarEvent):
            plain = event.implicit[0]
            self._add(Node(place, None if plain and event.value in _NULLS else event.value))
            return
        if len(self._open) >= MAX_DEPTH:
            raise SpecError(f"nested deeper than {MAX_DEPTH} levels", str(place))
        self._open.append(_Collection(place, is_mapping=isinstance(event, yaml.MappingStartEvent)))

    def _add(self, node: Node) -> None:
        if self._open:
            self._open[-1].add(node)
        else:
            self._root = node

    def _place(self, event: yaml.Event) -> Place:
        mark = event.start_mark
        assert mark is not None  # noqa: S101 - parser events of text always carry marks
        return Place(self._file, mark.line + 1, mark.column + 1)

    def _where(self, event: yaml.Event) -> str:
        return str(self._place(event))


class _Collection:
    def __init__(self, place: Place, *, is_mapping: bool) -> None:
        self._place = place
        self._items: list[Node] = []
        self._entries: dict[str, Entry] | None = {} if is_mapping else None
        self._key: Node | None = None

    def add(self, node: Node) -> None:
        if self._entries is None:
            self._items.append(node)
        elif self._key is None:
            self._check_key(node)
            self._key = node
        else:
            self._entries[str(self._key.value)] = Entry(self._key.place, node)
            self._key = None

    def close(self) -> Node:
        return Node(self._place, tuple(self._items) if self._entries is None else self._entries)

    def _check_key(self, node: Node) -> None:
        if not isinstance(node.value, str):
            raise SpecError("a key must be plain text", str(node.place))
        assert self._entries is not None  # noqa: S101 - only mappings have keys
        first = self._entries.get(node.value)
        if first is not None:
            raise SpecError(
                f"key {node.value!r} is given twice",
                str(node.place),
                f"the first one is in line {first.key.line}",
            )
