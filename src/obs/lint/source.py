"""A file's text, and pieces of it that know where they were written."""

from __future__ import annotations

from array import array
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

    @property
    def name(self) -> str:
        """What tells what it is: its path, or the key that it stands under in another file."""
        return self.file

    @property
    def outer(self) -> Source:
        """The file on disk that it is, or stands in."""
        return self

    def note(self, offset: int) -> str:  # noqa: ARG002 - a text inside another needs it
        """Return what a sentence about the character at `offset` must say beside its place."""
        return ""

    def written_at(self, offset: int) -> int | None:
        """Return the offset in the outer file of the character at `offset`; None where it is encoded."""
        return offset

    def indented(self, text: str) -> str | None:
        """Return `text` as it is written into the outer file; None where it cannot be."""
        return text

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

    def line_of(self, offset: int) -> int:
        """Return the line of this text, from 1, that the character at `offset` stands in."""
        return bisect_right(self._starts, offset)

    def column_of(self, offset: int) -> int:
        """Return the column of this text, from 1, that the character at `offset` stands in."""
        return offset - self._starts[self.line_of(offset) - 1] + 1

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


@dataclass(frozen=True, eq=False)
class Embedded(Source):
    """A file that stands as a value in another one, such as a dashboard in a ConfigMap.

    Its places are those of the outer file, so that nobody has to count lines of a block of text.
    """

    #: The key it stands under, and the value.
    key: Text
    held: Text
    #: Whether the value is base64 of the text: places are the key's then, and sentences name the line.
    encoded: bool = False

    @property
    def name(self) -> str:
        """The key, which is the name of the file that Kubernetes makes of it."""
        return self.key.value

    @property
    def outer(self) -> Source:
        """The file on disk."""
        return self.held.source

    def place(self, offset: int) -> Place:
        """Return the place in the outer file of the character at `offset`."""
        at = self.written_at(offset)
        return self.outer.place(self.key.start if at is None else at)

    def note(self, offset: int) -> str:
        """Return which line of the encoded text is meant."""
        return f"in {self.name}, line {self.line_of(offset)}: " if self.encoded else ""

    def written_at(self, offset: int) -> int | None:
        """Return the offset in the outer file of the character at `offset`; None where it is encoded."""
        if self.encoded:
            return None
        return self.held.start + self._offsets[max(0, min(offset, len(self._offsets) - 1))]

    def indented(self, text: str) -> str | None:
        """Return `text` with its lines indented as those of a literal block; None for any other style."""
        if self.encoded or self.held.style != "|":
            return None
        first = next((at for at, letter in enumerate(self.text) if letter not in "\r\n"), 0)
        column = self.column_of(first) - 1
        here = self.written_at(first - column)
        indent = self.outer.place(here).column - 1 if here is not None else 0
        # Whoever reads YAML reads each end of a line as the same.
        raw = self.outer.text[self.held.start : self.held.end]
        newline = "\r\n" if "\r\n" in raw else "\n"
        return text.replace("\n", f"{newline}{' ' * indent}")

    @cached_property
    def _offsets(self) -> array[int]:
        raw = self.outer.text[self.held.start : self.held.end]
        return written.offsets(raw, self.held.value, self.held.style)


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
