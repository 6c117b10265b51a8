"""Where a character of a value stands in the text that the value was written as."""

from __future__ import annotations

import re
from array import array

#: JSON writes what has no place in 16 bits as two escapes.
_PAIR = r"u[dD][89abAB][0-9A-Fa-f]{2}\\u[dD][c-fC-F][0-9A-Fa-f]{2}"
_ESCAPE = re.compile(
    r"\\(?:" + _PAIR + r"|x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|\r?\n[ \t]*|.)", re.DOTALL
)
_FOLDED = re.compile(r"[ \t]*\r?\n\s*")
_UNLIKE = re.compile(f"{_ESCAPE.pattern}|{_FOLDED.pattern}", re.DOTALL)
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


def offsets(raw: str, value: str, style: str) -> array[int]:
    """Return the offset in `raw` of every character of `value`, and of its end, in one pass."""
    if raw == value:
        found = array("l", range(len(value)))
    elif style in {'"', "json"}:
        found = _all_in_double_quotes(raw)
    elif style == "|":
        found = _all_in_block(raw, value)
    else:
        found = _all_aligned(raw, value, style)
    # Whatever could not be followed stands, for those who read places, at the end of what could.
    last = found[-1] if found else 0
    found.extend([last + 1 if len(found) == len(value) else last] * (len(value) + 1 - len(found)))
    return found


def _all_in_double_quotes(raw: str) -> array[int]:
    found = array("l")
    here = 1
    for match in _UNLIKE.finditer(raw, 1):
        found.extend(range(here, match.start()))
        escape = match.group().startswith("\\")
        length = _length(match.group()) if escape else max(1, match.group().count("\n") - 1)
        found.extend([match.start()] * length)
        here = match.end()
    found.extend(range(here, len(raw) - 1))
    return found


def _all_in_block(raw: str, value: str) -> array[int]:
    """Match line with line: those of a literal block differ in their indentation only."""
    found = array("l")
    head = _BLOCK_HEAD.match(raw)
    here = head.end() if head else len(raw)
    for line in value.split("\n"):
        end = raw.find("\n", here)
        end = end if end >= 0 else len(raw)
        length = end - here - raw[here:end].endswith("\r")
        start = here + max(0, length - len(line))
        # The break after it stands at its end.
        found.extend(range(start, start + len(line) + 1))
        here = min(end + 1, len(raw))
    return found[: len(value) + 1]


def _all_aligned(raw: str, value: str, style: str) -> array[int]:
    found = array("l")
    text = raw.replace("''", "\0'") if style == "'" else raw
    head = _BLOCK_HEAD.match(raw) if style == ">" else None
    here = head.end() if head else int(style == "'")
    for letter in value:
        at = _next(text, letter, here)
        if at < 0:
            break
        found.append(at)
        here = at + 1
    return found
