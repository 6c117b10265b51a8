"""Typed readers for the nodes of a spec: each says what it got, what it expected, and where."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Literal

from obs.errors import SpecError, suggest
from obs.generate.model import Duration
from obs.generate.spec.document import Entry, Node

#: Names become file names, label values and parts of links, so they are kept plain.
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,62}\Z")
#: Names of jobs are chosen in code, a little more freely.
JOB_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,126}\Z")
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*\Z")
#: What would end a string or begin a template or a variable where the value is written into rules and dashboards.
_SPECIAL = re.compile(r'["\\{}$`]')
_URL = re.compile(r"https?://[^\s\"'<>{}]+\Z")
#: What people write in place of a unit: 5min, 5 m, 5M, 5, 0.5s.
_ALMOST_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([a-zA-Z]*)\Z")
_UNIT_NAMES = {
    "millisecond": "ms",
    "second": "s",
    "sec": "s",
    "minute": "m",
    "min": "m",
    "hour": "h",
    "hr": "h",
    "day": "d",
    "week": "w",
}
_NUMBER = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d{1,2})?\Z")


def refuse(node: Node | Entry, message: str, hint: str | None = None) -> SpecError:
    """Return the error for `node`, ready to be raised."""
    place = node.key if isinstance(node, Entry) else node.place
    return SpecError(message, str(place), hint)


def mapping(node: Node, what: str, known: Iterable[str] | None = None) -> Mapping[str, Entry]:
    """Return the entries of a mapping; with `known`, every other key is an error."""
    if not isinstance(node.value, Mapping):
        raise refuse(node, f"{what}: got {_got(node)}, expected a mapping")
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
        raise refuse(node, f"{what}: got {_got(node)}, expected a line of text")
    return node.value.strip()


def name(node: Node, what: str, pattern: re.Pattern[str] = NAME) -> str:
    """Return a name of letters, digits, ``-`` and ``_``."""
    value = text(node, what)
    if not pattern.match(value):
        raise refuse(node, f"{what}: got {value!r}, expected letters, digits, - and _, a letter first")
    return value


def key_name(key: str, entry: Entry, what: str, pattern: re.Pattern[str] = NAME) -> str:
    """Check a key that is a name of the author's choice."""
    return name(Node(entry.key, key), what, pattern)


def choice(node: Node, what: str, options: Iterable[str]) -> str:
    """Return one of `options`."""
    legal = list(options)
    value = text(node, what)
    if value not in legal:
        raise refuse(
            node, f"{what}: got {value!r}, expected {' or '.join(map(repr, legal))}", suggest(value, legal)
        )
    return value


def duration(node: Node, what: str, *, zero: bool = False) -> Duration:
    """Return a duration such as ``30s``, ``5m``, ``1h30m``; `zero` allows ``0s``."""
    value = text(node, what)
    try:
        span = Duration.parse(value)
    except ValueError:
        raise refuse(
            node, f"{what}: got {value!r}, expected a duration such as 30s, 5m or 1h30m", _meant(value)
        ) from None
    if not span and not zero:
        raise refuse(node, f"{what}: got {value!r}, expected more than zero")
    if span > Duration.parse("1000d"):
        raise refuse(node, f"{what}: got {value!r}, expected at most 1000d")
    return span


def number(node: Node, what: str, unit: Literal["ratio", "percent"] = "ratio") -> Decimal:
    """Return a number, exactly as it is written; `unit` says what somebody who wrote ``5%`` should write."""
    value = text(node, what)
    if not _NUMBER.match(value):
        raise refuse(node, f"{what}: got {value!r}, expected a number", _bare(value, unit))
    return Decimal(value)


def integer(node: Node, what: str, low: int, high: int) -> int:
    """Return a whole number from `low` to `high`."""
    value = number(node, what)
    if value != value.to_integral_value() or not low <= value <= high:
        raise refuse(node, f"{what}: got {value}, expected a whole number from {low} to {high}")
    return int(value)


def url(node: Node, what: str) -> str:
    """Return an absolute address without its trailing slash."""
    value = text(node, what)
    if not _URL.match(value):
        raise refuse(node, f"{what}: got {value!r}, expected an address that starts with https:// or http://")
    return value.rstrip("/")


def label(entry: Entry, key: str) -> tuple[str, str]:
    """Return a label and the value it must have."""
    if not _LABEL.match(key) or key.startswith("__"):
        raise refuse(entry, f"{key!r} is no label name")
    value = text(entry.node, f"label {key}")
    if _SPECIAL.search(value):
        raise refuse(
            entry.node, f'label {key}: got {value!r}, expected a value without any of " \\ {{ }} $ `'
        )
    return key, value


def texts(node: Node, what: str) -> tuple[Node, ...]:
    """Return the items of a list."""
    if not isinstance(node.value, tuple):
        raise refuse(node, f"{what}: got {_got(node)}, expected a list")
    return node.value


def _meant(value: str) -> str | None:
    """Return a hint for what is almost a duration."""
    match = _ALMOST_DURATION.match(value)
    if match is None:
        return None
    amount, unit = match.groups()
    if not unit:
        return (
            f"which unit? such as {amount}s or {amount}m"
            if amount.isdigit()
            else "whole numbers only: 500ms is 0.5 s"
        )
    plain = unit.lower() if unit.lower() == "ms" else unit.lower().removesuffix("s") or unit.lower()
    suffix = _UNIT_NAMES.get(plain, plain)
    try:
        return f"did you mean {Duration.parse(amount + suffix)!s}?"
    except ValueError:
        return None


def _bare(value: str, unit: str) -> str | None:
    """Return a hint for a number that carries a unit: ``5%``, ``500ms``."""
    if value.endswith("%") and _NUMBER.match(value[:-1]):
        share = Decimal(value[:-1])
        return f"write {share if unit == 'percent' else share / 100:f}"
    try:
        return f"in seconds, {value} is {Duration.parse(value).seconds.normalize():f}"
    except ValueError:
        return None


def _got(node: Node) -> str:
    if node.value is None:
        return "nothing"
    if isinstance(node.value, str):
        return repr(node.value)
    return "a list" if isinstance(node.value, tuple) else "a mapping"
