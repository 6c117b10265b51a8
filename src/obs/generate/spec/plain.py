"""The plainest readers of nodes: mappings, lists, lines of text, one of a few words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from obs.errors import SpecError, suggest
from obs.generate.spec.document import Entry, Node

#: So many options can be read in one breath.
_FEW = 5


def refuse(node: Node | Entry, message: str, hint: str | None = None) -> SpecError:
    """Return the error for `node`, ready to be raised."""
    place = node.key if isinstance(node, Entry) else node.place
    return SpecError(message, str(place), hint)


def mapping(node: Node, what: str, known: Iterable[str] | None = None) -> Mapping[str, Entry]:
    """Return the entries of a mapping; with `known`, every other key is an error."""
    if not isinstance(node.value, Mapping):
        raise refuse(node, f"{what}: got {got(node)}, expected a mapping")
    if known is not None:
        legal = list(known)
        for key, entry in node.value.items():
            if key not in legal:
                hint = suggest(key, legal) or f"known here: {', '.join(legal)}"
                raise refuse(entry, f"unknown key {key!r} in {what}", hint)
    return node.value


def required(entries: Mapping[str, Entry], key: str, owner: Node, what: str) -> Node:
    """Return the value of `key`; its absence is an error at `owner`."""
    entry = entries.get(key)
    if entry is None or entry.node.value is None:
        raise refuse(entry.node if entry else owner, f"{what} needs {key!r}")
    return entry.node


def text(node: Node, what: str) -> str:
    """Return one line of text."""
    if not isinstance(node.value, str) or not node.value.strip() or "\n" in node.value.strip():
        raise refuse(node, f"{what}: got {got(node)}, expected a line of text")
    return node.value.strip()


def lines(node: Node, what: str) -> str:
    """Return text of one line or more."""
    if not isinstance(node.value, str) or not node.value.strip():
        raise refuse(node, f"{what}: got {got(node)}, expected text")
    return node.value.strip()


def texts(node: Node, what: str) -> tuple[Node, ...]:
    """Return the items of a list."""
    if not isinstance(node.value, tuple):
        raise refuse(node, f"{what}: got {got(node)}, expected a list")
    return node.value


def choice(node: Node, what: str, options: Iterable[str]) -> str:
    """Return one of `options`."""
    legal = list(options)
    value = text(node, what)
    if value not in legal:
        few = len(legal) <= _FEW
        expected = " or ".join(map(repr, legal)) if few else f"one of {', '.join(legal)}"
        raise refuse(node, f"{what}: got {value!r}, expected {expected}", suggest(value, legal))
    return value


def reason(node: Node, what: str) -> str:
    """Return why something is so, in words: a bare yes or no is none."""
    value = node.value
    if not isinstance(value, str) or value.strip().lower() in {"", "true", "false", "yes", "no", "on", "off"}:
        raise refuse(node, f"{what} needs the reason, in words")
    return text(node, what)


def got(node: Node) -> str:
    """Say for an error what stands there."""
    if node.value is None:
        return "nothing"
    if isinstance(node.value, str):
        return repr(node.value)
    return "a list" if isinstance(node.value, tuple) else "a mapping"
