"""YAML that we did not write: the linter's door to the library, tolerant and with places.

Nodes are composed by the library (in C where it was built with it) and wrapped only as far as somebody
looks. Aliases and several documents are legal here; a file that is no YAML is one `BrokenYaml`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import yaml

from obs.lint.source import Source, Span, Style, Text

_BASE: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
#: Deeper than any file that a person or a generator writes; the library itself recurses.
MAX_DEPTH = 100
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
#: A line that begins with so many levels of blocks, or blanks, that it must be looked at more closely.
_INDENTED = re.compile(rf"^[ ?:-]{{{MAX_DEPTH},}}", re.MULTILINE)
#: What stands before a value and is no part of it: an anchor, a tag.
_PROPERTIES = re.compile(r"(?:[&!]\S*\s+)+")
_MERGE = "<<"
#: Mappings merged into mappings that are merged: deeper than anybody can follow.
_MERGES = 8
_NO_BRACKETS = bytes(sorted(set(range(256)) - set(b"[]{}")))


class _Loader(_BASE):  # type: ignore[misc]  # chosen at run time
    """Composes nodes without asking of each scalar which type it would be: here all are text."""

    def resolve(self, *_: object) -> str:
        return ""


class BrokenYaml(ValueError):
    """Text that is no YAML; `at` says where."""

    def __init__(self, message: str, at: Span) -> None:
        super().__init__(message)
        self.message = message
        self.at = at

    @property
    def line(self) -> int:
        """The line of the text that cannot be read, from 1."""
        return self.at.source.line_of(self.at.start)


class Node(NamedTuple):
    """A value of the file, of any shape."""

    source: Source
    raw: Any

    @property
    def is_mapping(self) -> bool:
        """Whether it has keys."""
        return isinstance(self.raw, yaml.MappingNode)

    @property
    def is_list(self) -> bool:
        """Whether it has items."""
        return isinstance(self.raw, yaml.SequenceNode)

    @property
    def is_scalar(self) -> bool:
        """Whether it is a single value, null included."""
        return isinstance(self.raw, yaml.ScalarNode)

    @property
    def is_null(self) -> bool:
        """Whether nothing is written here."""
        return self.is_scalar and not self.raw.style and self.raw.value in _NULLS

    @property
    def what(self) -> str:
        """Its shape in words."""
        if self.is_null:
            return "nothing"
        return "a mapping" if self.is_mapping else "a list" if self.is_list else repr(str(self.raw.value))

    @property
    def span(self) -> Span:
        """Where it is written; of a block without the blank lines after it."""
        start, end = _start(self.source, self.raw), self.raw.end_mark.index
        text = self.source.text
        while end > start and text[end - 1] in " \n\r\t":
            end -= 1
        return Span(self.source, start, end)

    @property
    def text(self) -> Text | None:
        """The scalar as text, whatever type YAML would give it; None for null and for what is no scalar."""
        raw = self.raw
        if not isinstance(raw, yaml.ScalarNode):
            return None
        style: Style = raw.style or ""  # type: ignore[assignment]  # the stubs say str
        if not style and raw.value in _NULLS:
            return None
        return Text(raw.value, self.source, _start(self.source, raw), raw.end_mark.index, style)

    @property
    def scalar(self) -> str:
        """The text of a scalar without its place; empty for null and for what is no scalar."""
        raw = self.raw
        if not isinstance(raw, yaml.ScalarNode) or (not raw.style and raw.value in _NULLS):
            return ""
        value: str = raw.value
        return value

    @property
    def items(self) -> tuple[Node, ...]:
        """The items of a list; none of what is no list."""
        return tuple([Node(self.source, raw) for raw in self.raw.value]) if self.is_list else ()

    @property
    def entries(self) -> list[Entry]:
        """The entries of a mapping in the order written, repeated keys included; none of what is no mapping."""
        if not isinstance(self.raw, yaml.MappingNode):
            return []
        source = self.source
        return [
            Entry(key.value, Node(source, key), Node(source, value))
            for key, value in self.raw.value
            if isinstance(key, yaml.ScalarNode) and (key.value != _MERGE or key.style)
        ]

    @property
    def repeated(self) -> list[Entry]:
        """The entries of a mapping whose key stands in it before; programs that are strict refuse them."""
        if not isinstance(self.raw, yaml.MappingNode):
            return []
        names = [key.value for key, _ in self.raw.value]
        if len(set(map(str, names))) == len(names):
            return []
        entries = self.entries
        return [
            entry
            for number, entry in enumerate(entries)
            if entry.name in {one.name for one in entries[:number]}
        ]

    @property
    def merged(self) -> dict[str, Entry]:
        """The entries that ``<<`` brings in from mappings elsewhere; of several mappings the first wins."""
        return _merged(self, 0)

    @property
    def keys(self) -> dict[str, Entry]:
        """The entries by key, merged ones included; of a key given twice the last, as readers do."""
        entries = self.entries
        own = {entry.name: entry for entry in entries}
        # Entries are fewer than what is written where some only merge others in.
        return own if not self.is_mapping or len(entries) == len(self.raw.value) else {**self.merged, **own}

    def get(self, key: str) -> Node | None:
        """Return the value of `key`, or None."""
        found = self.keys.get(key)
        return found.node if found is not None else None


class Entry(NamedTuple):
    """A key of a mapping with its value."""

    name: str
    key_node: Node
    node: Node

    @property
    def key(self) -> Text:
        """The key as it was written."""
        raw = self.key_node.raw
        source = self.key_node.source
        return Text(self.name, source, _start(source, raw), raw.end_mark.index, raw.style or "")

    @property
    def span(self) -> Span:
        """Key and value."""
        return Span(self.key.source, self.key.start, max(self.key.end, self.node.span.end))


def _start(source: Source, raw: Any) -> int:
    """Return where a value begins behind its anchor and its tag."""
    start: int = raw.start_mark.index
    if source.text[start : start + 1] in {"&", "!"}:
        match = _PROPERTIES.match(source.text, start, raw.end_mark.index)
        return match.end() if match is not None else start
    return start


def _merged(node: Node, depth: int) -> dict[str, Entry]:
    if not isinstance(node.raw, yaml.MappingNode) or depth > _MERGES:
        return {}
    found: dict[str, Entry] = {}
    for key, value in node.raw.value:
        if isinstance(key, yaml.ScalarNode) and key.value == _MERGE and not key.style:
            inner = Node(node.source, value)
            for one in reversed(inner.items or (inner,)):
                found |= _merged(one, depth + 1)
                found |= {entry.name: entry for entry in one.entries}
    return found


def repeated_below(root: Node) -> Iterator[Entry]:
    """Yield every entry at or below `root` whose key stands in the same mapping before it."""
    waiting, seen = [root.raw], set[int]()
    while waiting:
        raw = waiting.pop()
        # Aliases lead to the same node, again and again.
        if id(raw) in seen or not isinstance(raw, yaml.CollectionNode):
            continue
        seen.add(id(raw))
        yield from Node(root.source, raw).repeated
        waiting += (one for _, one in raw.value) if isinstance(raw, yaml.MappingNode) else raw.value


def documents(source: Source) -> list[Node]:
    """Return every document of a file; raise `BrokenYaml`."""
    try:
        _check_depth(source)
        return [Node(source, raw) for raw in yaml.compose_all(source.text, Loader=_Loader)]
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = source.span(min(mark.index, len(source.text)) if mark else 0)
        raise BrokenYaml(f"broken YAML: {error.problem}", at) from None
    except yaml.YAMLError as error:
        position = getattr(error, "position", 0)
        raise BrokenYaml(f"broken YAML: {str(error).splitlines()[0]}", source.span(position)) from None
    except RecursionError:
        raise BrokenYaml("broken YAML: nested too deeply", source.span()) from None


def _check_depth(source: Source) -> None:
    """Refuse what is nested too deeply before the library descends into it: in C, nothing would stop it."""
    if not _may_be_deep(source.text):
        return
    depth = 0
    for event in yaml.parse(source.text, Loader=_BASE):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                mark: Any = event.start_mark
                raise BrokenYaml(f"nested deeper than {MAX_DEPTH} levels", source.span(mark.index))
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _may_be_deep(text: str) -> bool:
    """Tell whether brackets could be nested too deeply, whatever quotes say of them."""
    if _INDENTED.search(text):
        return True
    brackets = text.encode("utf-8", "replace").translate(None, _NO_BRACKETS)
    for _ in range(MAX_DEPTH):
        # Each turn takes the innermost pairs away.
        fewer = brackets.replace(b"{}", b"").replace(b"[]", b"")
        if len(fewer) == len(brackets):
            return fewer.count(b"{") + fewer.count(b"[") >= MAX_DEPTH
        brackets = fewer
    return True
