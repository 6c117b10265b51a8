"""Values that errors of databases repeat: SQLAlchemy's of a statement, PostgreSQL's of a row.

SQLAlchemy writes a line `[parameters: (...)]` after the statement, unless the engine was made with
`hide_parameters`; PostgreSQL writes `Failing row contains (...).`. What else the message says stays.
"""

from __future__ import annotations

import re

from obs.runtime.redaction.mask import MASK
from obs.runtime.redaction.values import line_end

_BEGINS = re.compile(r"\[parameters: (?=[\[({])(?!\[redacted\])|Failing row contains \((?!\[redacted\]\))")
#: What SQLAlchemy writes after the parameters. Their texts cannot hold a line's end: they are quoted.
_AFTER = "]\n(Background on this error at:"
#: The same where the whole message was quoted once more.
_AFTER_QUOTED = "]\\n(Background on this error at:"
_CLOSINGS = (")]", "}]", "]]")
#: Values that quote themselves may have line ends; no list of parameters is longer than this.
_LONGEST = 32_768


def mask_database_values(text: str) -> str:
    """Return `text` with the values masked that a database's error repeats; its time is linear."""
    if "[parameters: " not in text and "Failing row" not in text and _AFTER not in text:
        return text
    parts: list[str] = []
    done = 0
    if _AFTER in text:
        done = _unbegun(text)
        parts += [MASK] if done else []
    for found in _BEGINS.finditer(text):
        if found.start() >= done:
            start = found.end()
            end = _row_end(text, start) if found.group().endswith("(") else _parameters_end(text, start)
            parts += [text[done:start], MASK]
            done = end
    return "".join([*parts, text[done:]]) if parts else text


def _unbegun(text: str) -> int:
    """Return where the parameters end whose beginning was cut off; 0 where there are none."""
    end = text.index(_AFTER)
    return 0 if "[SQL" in text[:end] or "[parameters: " in text[:end] else end


def _parameters_end(text: str, start: int) -> int:
    line = line_end(text, start)
    end = text.find(_AFTER, line - 1, start + _LONGEST)
    if end >= 0 and (end == line - 1 or text.find("[SQL: ", line, end) < 0):
        return end
    quoted = text.find(_AFTER_QUOTED, start, line)
    if quoted >= 0:
        return quoted
    # Cut, or with words of the host's after it: only a bracket that closes a list ends the list.
    last = max(text.rfind(closing, start, line) for closing in _CLOSINGS)
    return last + 1 if last >= 0 else line


def _row_end(text: str, start: int) -> int:
    line = line_end(text, start)
    last = text.rfind(")", start, line)
    return last if last >= 0 else line
