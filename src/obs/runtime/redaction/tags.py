"""What XML says under a secret's name: `<pin>1</pin>`, with a prefix, attributes, CDATA, escaped."""

from __future__ import annotations

import re

from obs.runtime.redaction import keys

_NAME = re.compile(r"(?:[A-Za-z_][A-Za-z0-9_.-]{0,63}:)?([A-Za-z_][A-Za-z0-9_.-]{1,127})(?![A-Za-z0-9_.:-])")
_REST = {"<": re.compile(r"[^<>]{0,1024}>"), "&lt;": re.compile(r"[^<>]{0,1024}?&gt;")}
_ENDS = {"<": ">", "&lt;": "&gt;"}
_VALUE = re.compile(r"""\bvalue[ ]{0,4}=[ ]{0,4}(?P<open>\\{0,3}["'])(?P<value>[^"'<>\\]{1,1024})(?P=open)""")
#: Space before what an element holds, also in text that was quoted once more.
_GAP = re.compile(r"(?:\s|\\[rnt]){0,256}")
_CDATA = "<![CDATA["
#: Without an end the value is a word that begins right behind the tag: `<token>` is a placeholder in prose.
_UNENDED = re.compile(r"""[A-Za-z0-9][^\s<>"',;&]{3,}""")
#: Characters that are looked at for an end, and for the end of an element with others inside.
_NEAR, _NESTED = 8_192, 2_048


def value_of(text: str, at: int, end: int) -> tuple[int, int] | None:
    """Return what the tag says that is opened by the text from `at` to `end`, if that is a secret."""
    name = _NAME.match(text, end)
    if name is None or keys.verdict(name[1]) != keys.HIDE:
        return None
    mark = text[at:end]
    rest = _REST[mark].match(text, name.end())
    if rest is None:
        return None
    value = _VALUE.search(text, name.end(), rest.end())
    if value is not None:
        return value.span("value")
    if rest.group().removesuffix(">").removesuffix("&gt;").endswith("/"):
        return None
    return content(text, rest.end(), mark, name.group())


def content(text: str, start: int, mark: str = "<", tag: str = "") -> tuple[int, int] | None:
    """Return what an element holds that is opened until `start`."""
    gap = _GAP.match(text, start)
    begins = gap.end() if gap is not None else start
    if text.startswith(_CDATA, begins):
        begins += len(_CDATA)
        closed = text.find("]]>", begins)
        return begins, closed if closed >= 0 else len(text)
    closed = text.find(mark, start, start + _NEAR)
    if closed >= 0 and text.startswith("/", closed + len(mark)):
        return (start, closed) if text[start:closed].strip() else None
    if closed == begins and tag:
        last = text.find(f"{mark}/{tag}{_ENDS[mark]}", closed, start + _NESTED)
        return (start, last) if last >= 0 else None
    word = _UNENDED.match(text, start)
    return word.span() if word is not None else None
