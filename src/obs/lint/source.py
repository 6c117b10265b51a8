"""A file's text, and pieces of it that know where they were written."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple, Protocol, TypeAlias

from obs.generate.model import Place
from obs.lint import written

#: How a text was written: plain, quoted or as a block of YAML; a JSON string; or raw, as in Markdown.
Style: TypeAlias = Literal["", "'", '"', "|", ">", "json", "raw"]


@dataclass(frozen=True, eq=False)
class Source:
    """One file that was read; places are computed only for findings."""

    file: str
    text: str

    @cached_property
    def _starts(self) -> list[int]:
        starts, at = [0], self.text.find("\n")
        while at >= 0:
            starts.append(at + 1)
            at = self.text.find("\n", at + 1)
        return starts

    def place(self, offset: int) -> Place:
        """Return the place of the character at `offset`."""
        line = bisect_right(self._starts, offset)
        return Place(self.file, line, offset - self._starts[line - 1] + 1)

    def line_start(self, number: int) -> int:
        """Return the offset at which line `number` (from 1) begins; beyond the last, the end of the text."""
        return self._starts[number - 1] if number <= len(self._starts) else len(self.text)

    def line(self, number: int) -> str:
        """Return line `number` (from 1) without its end; empty beyond the last."""
        return self.text[self.line_start(number) : self.line_start(number + 1)].rstrip("\r\n")

    @property
    def lines(self) -> int:
        """How many lines there are."""
        return len(self._starts)

    def span(self, start: int = 0, end: int | None = None) -> Span:
        """Return the piece from `start` to `end`."""
        return Span(self, start, start if end is None else end)


class Span(NamedTuple):
    """A piece of a source: offsets count characters, `end` is the first that is no longer part."""

    source: Source
    start: int
    end: int

    @property
    def place(self) -> Place:
        """Where it begins."""
        return self.source.place(self.start)

    @property
    def length(self) -> int:
        """Characters to underline: at least 1, and no more than are left in the first line."""
        text = self.source.text[self.start : self.end].split("\n", 1)[0].rstrip()
        return max(1, len(text))


class Text(NamedTuple):
    """A value with the piece of source that it was read from, quotes and indentation included."""

    value: str
    source: Source
    start: int
    end: int
    style: Style

    @property
    def span(self) -> Span:
        """All of it."""
        return Span(self.source, self.start, self.end)

    def at(self, offset: int, length: int = 1) -> Span:
        """Return where `length` characters of the value from `offset` on were written."""
        raw = self.source.text[self.start : self.end]
        offset = max(0, min(offset, len(self.value) - 1))
        last = min(offset + max(length, 1), len(self.value)) - 1
        first, end = (written.offset(raw, self.value, self.style, one) for one in (offset, last))
        return Span(self.source, self.start + first, self.start + max(first, end) + 1)


class Located(Protocol):
    """A value of a file that can say where each of its characters stands; `Text` is one.

    Others may compute their places only when they are asked.
    """

    @property
    def value(self) -> str:
        """What was written, quotes and escapes undone."""

    @property
    def span(self) -> Span:
        """All of it."""

    def at(self, offset: int, length: int = 1) -> Span:
        """Return where `length` characters of the value from `offset` on were written."""
