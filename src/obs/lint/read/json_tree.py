"""JSON with places: parsed at the library's speed, and scanned for places only when one is asked for.

Most values of most files are never complained about, so the text is read by the standard library and
a value knows only the way to it; the first place asked of a file scans its text once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, TypeAlias

from obs.lint.source import Source, Span, Text

#: The way from the root to a value: keys of objects and positions in arrays.
Way: TypeAlias = tuple[str | int, ...]

#: From here on not every whole number is a number of JSON.
_BEYOND = 2**53
_TOKEN = re.compile(
    r'\s*(?:(?P<mark>[{}\[\],:])|(?P<string>"[^"\\]*(?:\\.[^"\\]*)*")|(?P<plain>[^\s,:\]}\[{"]+))'
)


class BrokenJson(ValueError):
    """Text that is no JSON; `at` says where, the message what was expected."""

    def __init__(self, message: str, at: Span) -> None:
        super().__init__(message)
        self.at = at


class Tree:
    """One parsed JSON text; raises `BrokenJson` for a text that is none."""

    def __init__(self, source: Source) -> None:
        self.source = source
        try:
            self._data = _loaded(source.text)
        except json.JSONDecodeError as error:
            message = f"broken JSON: {error.msg[0].lower()}{error.msg[1:]}"
            raise BrokenJson(message, source.span(error.pos)) from None
        except _NoJson as error:
            words = (token for token in _TOKEN.finditer(source.text) if token["plain"] == str(error))
            at = next((token.start("plain") for token in words), 0)
            raise BrokenJson(f"broken JSON: {error} is no value of it", source.span(at)) from None
        except RecursionError:
            raise BrokenJson("broken JSON: nested too deeply", source.span()) from None

    @property
    def root(self) -> Value:
        """The outermost value."""
        return Value(self, (), self._data)

    def span(self, way: Way) -> Span:
        """Return where the value at `way` stands, or the nearest value around it that exists."""
        while way not in self._spans and way:
            way = way[:-1]
        return self.source.span(*self._spans.get(way, (0, 0)))

    @cached_property
    def _spans(self) -> dict[Way, tuple[int, int]]:
        return _scan(self.source.text)


def _loaded(text: str) -> Any:
    """Return the data of a text; whole numbers that Python refuses for their length are infinite."""
    try:
        return json.loads(text, parse_constant=_refused)
    except (json.JSONDecodeError, _NoJson):
        raise
    except ValueError:
        return json.loads(text, parse_int=float, parse_constant=_refused)


class _NoJson(ValueError):
    """A word that Python reads as a number, and JSON does not know."""


def _refused(word: str) -> None:
    raise _NoJson(word)


def _scan(text: str) -> dict[Way, tuple[int, int]]:
    """Return where each value of a legal JSON text stands; of a key given twice the last, as readers do."""
    spans: dict[Way, tuple[int, int]] = {}
    #: Open containers: the way to each and where it began; `way` leads to the value to come.
    begun: list[tuple[Way, int]] = []
    way: Way = ()
    key: str | None = None
    for token in _TOKEN.finditer(text):
        mark = token["mark"]
        if mark in {"{", "["}:
            begun.append((way, token.start("mark")))
            way = (*way, 0) if mark == "[" else way
            key = None
        elif mark in {"}", "]"}:
            way, start = begun.pop()
            spans[way] = (start, token.end())
        elif mark == ",":
            # In an array the next value is one further; in an object the next key replaces the last.
            here, start = begun[-1]
            way = (*here, _next(way)) if text[start] == "[" else here
            key = None
        elif mark == ":":
            way = (*begun[-1][0], key or "")
        elif token["string"] is not None and begun and text[begun[-1][1]] == "{" and key is None:
            key = json.loads(token["string"], strict=False)
        else:
            spans[way] = token.span("string" if token["string"] is not None else "plain")
    return spans


def _next(way: Way) -> int:
    last = way[-1]
    return last + 1 if isinstance(last, int) else 0


def number(data: Any) -> float | None:
    """Return plain data that is a number; None for anything else, and for what is beyond all counting."""
    known = isinstance(data, int | float) and not isinstance(data, bool)
    return data if known and abs(data) < _BEYOND else None


class Written(NamedTuple):
    """A string that looks up where it stands only when it is asked, which scans the file."""

    of: Value

    @property
    def value(self) -> str:
        """The string."""
        return self.of.text

    @property
    def span(self) -> Span:
        """All of it, quotes included."""
        return self.of.span

    def at(self, offset: int, length: int = 1) -> Span:
        """Return where `length` characters of the string from `offset` on were written."""
        span = self.span
        return Text(self.value, span.source, span.start, span.end, "json").at(offset, length)


@dataclass(slots=True, eq=False)
class Value:
    """A value of a tree, or the lack of one (`data` is None): reading what is not there is no error."""

    tree: Tree
    way: Way
    data: Any

    def __getitem__(self, key: str | int) -> Value:
        inner: Any = None
        if isinstance(key, str) and isinstance(self.data, dict):
            inner = self.data.get(key)
        elif isinstance(key, int) and isinstance(self.data, list) and -len(self.data) <= key < len(self.data):
            inner = self.data[key]
        return Value(self.tree, (*self.way, key), inner)

    def __contains__(self, key: object) -> bool:
        return isinstance(self.data, dict) and key in self.data

    def __iter__(self) -> Iterator[Value]:
        """Iterate over the items of an array; anything else has none."""
        count = len(self.data) if isinstance(self.data, list) else 0
        return (self[number] for number in range(count))

    def plain(self, *keys: str) -> Any:
        """Return what stands under `keys`, one below the other, without its place; None for what is not there.

        For what is read of every panel, and hardly ever complained about.
        """
        data = self.data
        for key in keys:
            if not isinstance(data, dict):
                return None
            data = data.get(key)
        return data

    def word(self, *keys: str) -> str:
        """Return the text of the string under `keys`; "" for anything else."""
        found = self.plain(*keys)
        return found if isinstance(found, str) else ""

    @property
    def fields(self) -> Mapping[str, Value]:
        """The values of an object by key; anything else has none."""
        return {key: self[key] for key in self.data} if isinstance(self.data, dict) else {}

    @property
    def text(self) -> str:
        """The text of a string; "" for anything else."""
        return self.data if isinstance(self.data, str) else ""

    @property
    def number(self) -> float | None:
        """The value of a number; None for anything else."""
        return number(self.data)

    @property
    def span(self) -> Span:
        """All of it; of what is not there, what it is missing in."""
        return self.tree.span(self.way)

    @property
    def head(self) -> Span:
        """What to underline: of an object or array only its first letter."""
        span = self.span
        whole = not isinstance(self.data, dict | list) and self.data is not None
        return span if whole else Span(span.source, span.start, span.start + 1)

    @property
    def written(self) -> Written:
        """The string with the piece that it was read from."""
        return Written(self)

    def near(self, key: str) -> Value:
        """Return the value of `key`, or this one where it has none: what to point at."""
        there = key in self
        return self[key] if there else self
