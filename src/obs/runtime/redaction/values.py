"""Where a value that stands in text ends: in quotes, in brackets, at a space, with its line."""

from __future__ import annotations

import re

#: A value in quotes, those of text inside text included; without the last one it ends with the line.
QUOTED = re.compile(r"""[bBrRuUfF]{0,2}(?P<open>\"\"\"|'''|\\{0,3}["'])""")
PLAIN = re.compile(r"""[^\s&;,"'<>\\]+""")
#: What says that there is no value.
EMPTY = frozenset({"none", "null", "true", "false", "undefined", "nil", "-", "..."})
_BLANK = re.compile(r"[ \t]{0,64}")
_BRACKET = re.compile(r"[\[\](){}]")
OPEN, CLOSE = "[({", "])}"


class Brackets:
    """Where each bracket of a text is closed, found out once: a bracket without an end may stand often."""

    __slots__ = ("_ends", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        self._ends: dict[int, int] | None = None

    def span(self, start: int) -> tuple[int, int]:
        """Return the span of a list, an object or a tuple; without an end, of the rest of its line."""
        if self._ends is None:
            self._ends = {}
            opened: list[int] = []
            for found in _BRACKET.finditer(self._text, start):
                if found.group() in OPEN:
                    opened.append(found.start())
                elif opened:
                    self._ends[opened.pop()] = found.end()
        return start, self._ends.get(start) or line_end(self._text, start)


def in_quotes(text: str, start: int, quote: str) -> tuple[int, int] | None:
    """Return the span of what begins at `start` and ends with `quote`, or with its line."""
    end = text.find(quote, start)
    # An escaped quote belongs to the value.
    while end > start and len(quote) == 1 and _escaped(text, start, end):
        end = text.find(quote, end + 1)
    if end < 0:
        end = line_end(text, start)
    return (start, end) if end > start and text[start:end].lower() not in EMPTY else None


def _escaped(text: str, start: int, end: int) -> bool:
    slashes = 0
    while end - slashes > start and text[end - slashes - 1] == "\\":
        slashes += 1
    return slashes % 2 == 1


def line_end(text: str, start: int) -> int:
    """Return where the line ends that `start` is in."""
    line = text.find("\n", start)
    return len(text) if line < 0 else line


def after_blank(text: str, start: int) -> int:
    """Return where the spaces end that begin at `start`."""
    blank = _BLANK.match(text, start)
    return blank.end() if blank is not None else start
