"""Values that stand beside the name of a secret: `name="password"` and then the value, elsewhere.

Fields of multipart forms (RFC 7578), elements with a name and a value, environments in YAML or JSON.
"""

from __future__ import annotations

import re

from obs.runtime.redaction import keys, tags
from obs.runtime.redaction.values import EMPTY, PLAIN, QUOTED, in_quotes

#: What says that the name of a field follows.
NAMES = frozenset({"name", "key", "Name", "Key"})
_NAMED = re.compile(
    r"""[ \t]{0,8}(?:(?P<open>\\{0,3}["'])(?P<quoted>[A-Za-z0-9_.\[\]-]{2,128})(?P=open)"""
    r"""|(?P<plain>[A-Za-z0-9_.-]{2,128})(?=[\s;]|\\[rn]|\Z))"""
)
#: The end of a line, also in text that was quoted once more.
_LINE = r"(?:\r?\n|\\r\\n|\\n)"
_REST = r"(?:[^\r\n\\]|\\[^rn]){0,256}"
_HEADERS = re.compile(rf"(?:;{_REST})?(?:{_LINE}[A-Za-z-]{{1,64}}:{_REST}){{0,4}}{_LINE}{_LINE}")
_BOUNDARY = re.compile(rf"{_LINE}--")
_FORM = "form-data"
#: How far before the name a form's header says so.
_FORM_NEAR = 64
#: Up to the value, and not beyond the name of another.
_VALUE = re.compile(
    r"""(?:(?!\b(?:name|key)\b)[^<>{}\[\]]){0,256}?\bvalue\\{0,3}["']?[ \t]{0,8}[:=][ \t]{0,8}""",
    re.IGNORECASE,
)
_TAG_END = re.compile(r"[^<>]{0,256}(?<!/)>")


def value_beside(text: str, at: int, end: int) -> tuple[int, int] | None:
    """Return the value whose name follows the separator from `at` to `end`, if that is a secret's."""
    named = _NAMED.match(text, end)
    if named is None or keys.verdict(named["quoted"] or named["plain"]) != keys.HIDE:
        return None
    after = named.end()
    if text.find(_FORM, max(0, at - _FORM_NEAR), at) >= 0:
        field = _field(text, after)
        if field is not None:
            return field
    value = _VALUE.match(text, after)
    if value is not None:
        return _value(text, value.end())
    tag = _TAG_END.match(text, after) if text[at] == "=" and named["open"] else None
    return tags.content(text, tag.end()) if tag is not None else None


def _field(text: str, after: int) -> tuple[int, int] | None:
    headers = _HEADERS.match(text, after)
    if headers is None:
        return None
    start = headers.end()
    boundary = _BOUNDARY.search(text, start)
    end = boundary.start() if boundary is not None else len(text)
    return (start, end) if text[start:end].strip() else None


def _value(text: str, start: int) -> tuple[int, int] | None:
    quoted = QUOTED.match(text, start)
    if quoted is not None:
        return in_quotes(text, quoted.end(), quoted["open"])
    plain = PLAIN.match(text, start)
    return plain.span() if plain is not None and plain.group().lower() not in EMPTY else None
