"""Where a character of a value stands in the text that the value was written as."""

from __future__ import annotations

import re

_ESCAPE = re.compile(r"\\(?:x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|\r?\n[ \t]*|.)", re.DOTALL)
_FOLDED = re.compile(r"[ \t]*\r?\n\s*")
_BLOCK_HEAD = re.compile(r"[|>][^\n]*\n")


def offset(raw: str, value: str, style: str, at: int) -> int:
    """Return the offset in `raw` of the character `at` of `value`, or 0 when the two do not agree.

    `style` is YAML's indicator (empty for a plain scalar), ``json`` or ``raw``.
    """
    if raw == value:
        return at
    if style in {'"', "json"}:
        return _in_double_quotes(raw, at)
    if style == "'":
        return _aligned(raw.replace("''", "\0'"), value, at, 1)
    head = _BLOCK_HEAD.match(raw) if style in {"|", ">"} else None
    return _aligned(raw, value, at, head.end() if head else 0)


def _in_double_quotes(raw: str, at: int) -> int:
    """Walk from escape to escape and from fold to fold: everything between is written as it is."""
    here, left = 1, at
    while True:
        escape, fold = _ESCAPE.search(raw, here), _FOLDED.search(raw, here)
        if escape is None or (fold is not None and fold.start() < escape.start()):
            escape = None
        found = escape or fold
        if found is None or found.start() - here > left:
            return here + left
        left -= found.start() - here
        length = _length(found.group()) if escape is not None else max(1, found.group().count("\n") - 1)
        if left < length:
            return found.start()
        left -= length
        here = found.end()


def _length(escape: str) -> int:
    """Return how many characters an escape stands for: none for a line that goes on."""
    return 0 if escape[1] in "\r\n" else 1


def _aligned(raw: str, value: str, at: int, here: int) -> int:
    """Match the characters of `value` in order; blanks may have been folded, nothing else may differ."""
    for letter in value[:at]:
        here = _next(raw, letter, here)
        if here < 0:
            return 0
        here += 1
    found = _next(raw, value[at], here) if at < len(value) else here
    return max(found, 0)


def _next(raw: str, letter: str, here: int) -> int:
    """Return where `letter` is written from `here` on; the first blank of several stands for all."""
    if letter.isspace():
        return here if here < len(raw) and raw[here].isspace() else here - 1
    while here < len(raw) and raw[here] != letter:
        if not raw[here].isspace() and raw[here] != "\0":
            return -1
        here += 1
    return here if here < len(raw) else -1
