"""Where each character of a value stands in the text that it was written as."""

from __future__ import annotations

import re
from itertools import accumulate

_ESCAPE = re.compile(
    r"\\(?:x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|\r?\n[ \t]*|.)|\r?\n|.", re.DOTALL
)
_BLOCK_HEAD = re.compile(r"[|>][^\n]*\n")


def offsets(raw: str, value: str, style: str) -> list[int]:
    """Return for each character of `value` its offset in `raw`; empty when the two cannot be aligned.

    `style` is YAML's indicator (empty for a plain scalar), ``json`` or ``raw``.
    """
    if style in {"", "raw"} and raw == value:
        return list(range(len(value)))
    if style in {'"', "json"}:
        return _aligned(_double_quoted(raw), value)
    if style == "'":
        return _aligned(_single_quoted(raw), value)
    if style in {"|", ">"}:
        head = _BLOCK_HEAD.match(raw)
        start = head.end() if head else 0
        return _aligned(list(zip(raw[start:], range(start, len(raw)), strict=True)), value)
    return _aligned(list(zip(raw, range(len(raw)), strict=True)), value)


def _aligned(written: list[tuple[str, int]], value: str) -> list[int]:
    """Match the characters of `value` in order; blanks may have been folded, nothing else may differ."""
    found: list[int] = []
    at = 0
    for letter in value:
        if letter.isspace():
            # Indentation and folding: the first blank stands for all.
            found.append(written[min(at, len(written) - 1)][1] if written else 0)
            if at < len(written) and written[at][0].isspace():
                at += 1
            continue
        while at < len(written) and written[at][0] != letter and written[at][0].isspace():
            at += 1
        if at >= len(written) or written[at][0] != letter:
            return []
        found.append(written[at][1])
        at += 1
    return found


_NAMED = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "0": "\0", "a": "\a", "v": "\v", "e": "\x1b"}


def _double_quoted(raw: str) -> list[tuple[str, int]]:
    inside = raw[1:-1] if raw[:1] == raw[-1:] == '"' and len(raw) > 1 else raw
    shift = 1 if inside is not raw else 0
    pieces = [(match.group(), match.start() + shift) for match in _ESCAPE.finditer(inside)]
    return [(letter, at) for piece, at in pieces for letter in _decoded(piece)]


def _decoded(piece: str) -> str:
    if len(piece) == 1 or piece[0] != "\\":
        return piece[-1]
    kind = piece[1]
    if kind in "xuU":
        digits = piece[2:]
        return chr(int(digits, 16)) if digits else kind
    if kind in "\r\n":
        return ""
    return _NAMED.get(kind, kind)


def _single_quoted(raw: str) -> list[tuple[str, int]]:
    inside = raw[1:-1]
    parts = inside.split("''")
    starts = accumulate((len(part) + 2 for part in parts), initial=1)
    found: list[tuple[str, int]] = []
    for number, (part, start) in enumerate(zip(parts, starts, strict=False)):
        if number:
            found.append(("'", start - 2))
        found += zip(part, range(start, start + len(part)), strict=True)
    return found
