"""One walk over any value: secrets masked, size bounded, everything plain JSON data.

Its time is linear in what is kept: text is cut before it is searched.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any

from obs.runtime.redaction import keys
from obs.runtime.redaction.cards import is_card_number
from obs.runtime.redaction.keys import HIDE, KEEP, SCAN, verdict, verdicts
from obs.runtime.redaction.mask import MASK
from obs.runtime.redaction.text import TEXT_LIMIT, harmless, scrub

#: Characters kept of a name: of a span, a logger, a key.
NAME_LIMIT = 256
_DEPTH = 8
#: Values kept of one log line or attribute, nested ones included.
_NODES = 1_000
#: Characters of text that count as much as one value more: a thousand long texts would take seconds.
_CHARACTERS = 512
#: Integers beyond 64 bits have no portable JSON form.
_INT64 = 2**63
#: No smaller number is a card's.
_CARDS_BEGIN = 10**14
_LEAST = -_INT64
#: Bytes of one value that are looked at; text is cut precisely afterwards.
_BYTES = 3 * TEXT_LIMIT


def plain_text(value: Any, limit: int = TEXT_LIMIT) -> str:
    """Return any value as scrubbed text that has a UTF-8 form. Never raises.

    A `limit` in characters below 64 is as good as 64.
    """
    # Names and messages come again and again: this is on the path of every line and span.
    if type(value) is str and value in harmless and value.isascii():
        return value
    text = scrub(value if type(value) is str else _text(value), limit)
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


def clean(fields: Mapping[str, Any], nodes: int = _NODES, depth: int = _DEPTH) -> dict[str, Any]:
    """Return `fields` as plain JSON data: secrets masked, values bounded. Never raises.

    At most `nodes` values are kept, and what lies `depth` levels down.
    """
    return _Walk(nodes, depth).mapping(fields, 0)


def clean_value(key: str, value: Any) -> Any:
    """Return one value as plain JSON data, masked when `key` says that it is a secret."""
    found = verdicts.get(key)
    if found is None:
        found, _ = _meet(key)
    # The two commonest types need no walk; this is on the path of every span.
    kind = type(value)
    if found == HIDE:
        return value if kind is bool or value is None else MASK
    if kind is str:
        if value in harmless or (found == KEEP and len(value) <= TEXT_LIMIT):
            return value
        return scrub(value)
    if kind is int and _LEAST <= value < _CARDS_BEGIN:
        return value
    return value if kind is bool else _Walk(_NODES, _DEPTH).value(value, 0)


class _Walk:
    """One walk with its budget of values."""

    __slots__ = ("_deepest", "_left")

    def __init__(self, nodes: int, depth: int) -> None:
        self._left = nodes
        self._deepest = depth

    def mapping(self, fields: Mapping[Any, Any], depth: int) -> dict[str, Any]:
        plain: dict[str, Any] = {}
        items = list(fields.items())
        cut = len(items) > self._left
        if cut:
            del items[max(0, self._left) :]
        self._left -= len(items)
        for key, value in items:
            if self._left < 0:
                cut = True
                break
            name = key if type(key) is str else _key(key)
            found = verdicts.get(name)
            if found is None:
                found, name = _meet(name)
            # The commonest types come first and are judged here: a call each is what a line costs.
            kind = type(value)
            if kind is str and found != HIDE:
                plain[name] = value if value in harmless else self._search(value, found)
            elif value is None or kind is bool:
                plain[name] = value
            elif found == HIDE:
                plain[name] = MASK
            elif kind is int and _LEAST <= value < _CARDS_BEGIN:
                plain[name] = value
            else:
                plain[name] = self.value(value, depth)
        if cut or "value" in plain:
            _complete(plain, cut=cut)
        return plain

    def value(self, value: Any, depth: int) -> Any:  # noqa: PLR0911 - one return a type
        kind = type(value)
        if kind is str:
            return self._search(value, SCAN)
        if kind is bool or value is None:
            return value
        if kind is int:
            return _whole(value)
        if kind is float:
            return value if math.isfinite(value) else str(value)
        if depth >= self._deepest:
            return "..."
        try:
            return self._other(value, depth)
        except Exception as error:
            return f"<{kind.__name__} that raised {type(error).__name__}>"

    def _search(self, text: str, found: int) -> str:
        size = len(text)
        if size >= _CHARACTERS:
            # What is cut before it is searched costs nothing.
            self._left -= min(size, TEXT_LIMIT) // _CHARACTERS
        return text if found == KEEP and size <= TEXT_LIMIT else scrub(text)

    def _other(self, value: Any, depth: int) -> Any:  # noqa: PLR0911 - one return a type
        if isinstance(value, Mapping):
            return self.mapping(value, depth + 1)
        if isinstance(value, (list, tuple, set, frozenset)):
            names = getattr(value, "_fields", None)
            if type(names) is tuple and len(names) == len(value):
                return self.mapping(dict(zip(names, value, strict=True)), depth + 1)
            # A tuple of two is a pair wherever it stands; a list of two may be any list.
            pair = _hidden_pair(value) if type(value) is tuple else None
            return pair or self._items(value, depth + 1)
        if isinstance(value, (dt.datetime, dt.date, dt.time)):
            return value.isoformat()
        if isinstance(value, Enum):
            return self.value(value.value, depth + 1)
        if isinstance(value, (str, int, float)):
            return scrub(str(value))
        if isinstance(value, (bytes, bytearray, memoryview)):
            return scrub(bytes(value[:_BYTES]).decode("utf-8", "backslashreplace"))
        return scrub(_text(value))

    def _items(self, values: Iterable[Any], depth: int) -> list[Any]:
        plain: list[Any] = []
        for value in list(values):
            if self._left <= 0:
                plain.append("...")
                break
            self._left -= 1
            plain.append(_hidden_pair(value) or self.value(value, depth))
        return plain


def _meet(name: str) -> tuple[int, str]:
    """Return the verdict on a name that is not in the table, and the name as it may be written."""
    found, safe = verdict(name), scrub(name[:NAME_LIMIT])
    if safe == name:
        keys.remember(name, found)
    return found, safe


def _complete(plain: dict[str, Any], *, cut: bool) -> None:
    """Say that values were cut; mask that of `{"name": "DB_PASSWORD", "value": "..."}`."""
    if cut:
        plain["..."] = "more values cut"
    for field in ("name", "key"):
        name = plain.get(field)
        if type(name) is str and verdict(name) == HIDE and type(plain.get("value", True)) is not bool:
            plain["value"] = MASK


def _hidden_pair(value: Any) -> list[Any] | None:
    """Return a pair such as `("authorization", "...")` with its second half masked; None for others."""
    if type(value) not in {tuple, list} or len(value) != 2:
        return None
    name, secret = value
    if type(name) not in {str, bytes} or not name or secret is None or type(secret) is bool:
        return None
    text = _key(name)
    return [scrub(text[:NAME_LIMIT]), MASK] if verdict(text) == HIDE else None


def _key(key: Any) -> str:
    if type(key) is bytes:
        return key[:NAME_LIMIT].decode("utf-8", "backslashreplace")
    return _text(key)


def _whole(number: int) -> Any:
    if not -_INT64 <= number < _INT64:
        # Python itself refuses to write out integers of more than some thousand digits.
        return str(number) if number.bit_length() <= 1024 else f"<integer of {number.bit_length()} bits>"
    return MASK if number >= _CARDS_BEGIN and keys.active() and is_card_number(number) else number


def _text(value: Any) -> str:
    try:
        return str(value)
    except Exception as error:
        return f"<{type(value).__name__} that raised {type(error).__name__}>"
