"""Secrets inside of text that are known by the name before them: JSON, headers, queries, code.

`password=x`, `"token": "x"`, `Authorization: Bearer x`, `?sig=x`, `('cookie', 'x')`, `<pin>1</pin>`.
The separators are found first and the name is read backwards from each, a bounded way: that is
linear, and three times as fast as trying every word as a name.
"""

from __future__ import annotations

import re
import string

from obs.runtime.redaction import keys
from obs.runtime.redaction.mask import MASK

_SEPARATOR = re.compile(r"""[=:>]|["'],|%3[dD]""")
_IN_NAME = string.ascii_letters + string.digits + "_.-"
_NAME_LIMIT = 128
#: A name of two words, such as `api key`; the first is looked for where the second may be one.
_SECOND = frozenset({"key", "number", "token", "code", "id", "phrase"})
_FIRST = re.compile(r"([A-Za-z]{2,12})[ ]\Z")
_ANNOTATION = re.compile(r"[ \t]{0,8}(?:str|bytes|int|Any|SecretStr)(?:[ ]\|[ ]None)?[ ]=(?!=)")
_BLANK = re.compile(r"[ \t]{0,64}")
#: A value in quotes, those of text inside text included; without the last one it ends with the line.
_QUOTED = re.compile(r"""[bBrRuUfF]{0,2}(?P<open>\"\"\"|'''|\\{0,3}["'])""")
_PLAIN = re.compile(r"""[^\s&;,"'<>\\]+""")
_LINE = re.compile(r"""[^\r\n"'<>\\]+""")
_BRACKET = re.compile(r"[\[\](){}]")
#: A call or a look-up in a source line names where a secret comes from and is none.
_CODE = re.compile(
    r"(?:await )?[a-z_]+(?:\.[a-z_]+)*[(\[]|(?:self|cls|os|settings|config|request)\.[A-Za-z_]"
)
_FLAG = re.compile(r"(?<![A-Za-z0-9_-])--([A-Za-z][A-Za-z0-9_-]{1,64})[ ]{1,4}(?!-)([^\s\"']{1,256})")
#: Headers whose value goes on after the first space.
_WHOLE_LINE = ("authorization", "cookie")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9-]{2,15}[ ]")
_EMPTY = frozenset({"none", "null", "true", "false", "undefined", "nil", "-", "..."})
#: What stands for a value in a query or a template.
_PLACEHOLDER = re.compile(
    r"(?:\?|%s|%\([a-z_]+\)s|\$[0-9]{1,3}|:[a-z_]+|\$?\{[A-Za-z_]*\}|\*+|<[a-z-]*>)[,;.]?\Z"
)
_BRACED = re.compile(r"\{[A-Za-z_]*\}")
#: Names that prose uses before a colon as well; only a value with a digit counts there.
_IN_PROSE = frozenset({"auth", "pass", "pin", "pan", "session", "sig", "signature", "sid", "otp", "iban"})
#: Looked for near: what is no value stays, and a name in it would search the same text again.
_DIGIT_NEAR = re.compile(r"""[^\s&;,"'<>\\\d]{0,128}\d""")
_SHORT = 4
_OPEN, _CLOSE = "[({", "])}"
_ENDS = _CLOSE + ":"


def mask_named(text: str) -> str:
    """Return `text` with the values masked that stand after a secret's name."""
    parts: list[str] = []
    done = 0
    brackets = _Brackets(text)
    for found in _SEPARATOR.finditer(text):
        at = found.start()
        if at < done:
            continue
        span = _secret_after(text, at, found.end(), brackets)
        if span is not None and span[0] >= done:
            parts += [text[done : span[0]], MASK]
            done = span[1]
    if parts:
        text = "".join([*parts, text[done:]])
    return _FLAG.sub(_mask_flag, text) if "--" in text else text


class _Brackets:
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
                if found.group() in _OPEN:
                    opened.append(found.start())
                elif opened:
                    self._ends[opened.pop()] = found.end()
        return start, self._ends.get(start) or _line_end(self._text, start)


def _secret_after(text: str, at: int, end: int, brackets: _Brackets) -> tuple[int, int] | None:
    """Return where the secret after the separator at `at` stands; None where there is none."""
    stop, quoted = _name_end(text, at)
    before = text[max(0, stop - _NAME_LIMIT) : stop]
    first = len(before.rstrip(_IN_NAME))
    name = before[first:]
    if first > 0 and before[first - 1] == "%":
        # A query inside of a query: what its escape leaves is no part of the name.
        name = name[2:]
    if len(name) < 2:
        return None
    if name.lower() in _SECOND:
        earlier = _FIRST.search(before, max(0, first - 14), first)
        name = f"{earlier[1]} {name}" if earlier is not None else name
    if keys.verdict(name) != keys.HIDE:
        return None
    starts = stop - len(before) + first
    mark = text[end - 1]
    if mark == ">" and text[at - 1 : at] != "=":
        tagged = starts > 0 and text[starts - 1] == "<" and stop == at
        return _tagged(text, end) if tagged else None
    if mark == ",":
        return _paired(text, starts, end)
    return _separated(text, at, end, name, brackets, quoted=quoted)


def _name_end(text: str, at: int) -> tuple[int, bool]:
    """Return where the name before a separator ends, and whether quotes close it."""
    stop = at
    while stop > 0 and text[stop - 1] in " \t" and at - stop < 8:
        stop -= 1
    if stop > 0 and text[stop - 1] == "]":
        stop -= 1
    if text[at] in "\"'":
        stop = at + 1
    if stop > 0 and text[stop - 1] in "\"'":
        stop -= 1
        while stop > 0 and text[stop - 1] == "\\":
            stop -= 1
        return stop, True
    return stop, False


def _separated(  # noqa: PLR0911 - one return a form
    text: str, at: int, end: int, name: str, brackets: _Brackets, *, quoted: bool
) -> tuple[int, int] | None:
    colon = text[at] == ":"
    if colon:
        if text.startswith((":", "//"), end) or text[at - 1 : at] == ":":
            return None
        annotation = _ANNOTATION.match(text, end)
        end = annotation.end() if annotation is not None else end + text.startswith("=", end)
    elif text.startswith("=", end):
        return None
    else:
        end += text.startswith(">", end)
    spaced = text[at - 1 : at] == " "
    start = _after_blank(text, end)
    if text.startswith(MASK, start):
        return None
    opened = _QUOTED.match(text, start)
    if opened is not None:
        return _in_quotes(text, opened.end(), opened["open"])
    if text[start : start + 1] in _OPEN and start < len(text):
        if (spaced and not colon) or _BRACED.match(text, start) is not None:
            return None
        return brackets.span(start)
    if colon and not quoted and name.lower().endswith(_WHOLE_LINE):
        return _span(_LINE.match(text, start))
    if spaced and not colon and _CODE.match(text, start) is not None:
        return None
    return _unquoted(text, start, name, prose=colon and not quoted)


def _unquoted(text: str, start: int, name: str, *, prose: bool) -> tuple[int, int] | None:
    ambiguous = prose and name.lower() in _IN_PROSE
    scheme = _SCHEME.match(text, start) if name.lower().endswith("authorization") else None
    credential = _PLAIN.match(text, scheme.end()) if scheme is not None else None
    if credential is not None and "=" not in credential.group().rstrip("="):
        return start, credential.end()
    plain = None if ambiguous and _DIGIT_NEAR.match(text, start) is None else _PLAIN.match(text, start)
    if plain is None:
        return None
    value = plain.group()
    bare = value.rstrip(_ENDS) or value
    if bare.lower() in _EMPTY or _PLACEHOLDER.match(value) or (ambiguous and len(bare) < _SHORT):
        return None
    if prose and not any(map(str.isalnum, bare)):
        # The rest of a sentence.
        return None
    return start, start + len(bare)


def _in_quotes(text: str, start: int, quote: str) -> tuple[int, int] | None:
    end = text.find(quote, start)
    # An escaped quote belongs to the value.
    while end > start and len(quote) == 1 and _escaped(text, start, end):
        end = text.find(quote, end + 1)
    if end < 0:
        end = _line_end(text, start)
    return (start, end) if end > start and text[start:end].lower() not in _EMPTY else None


def _escaped(text: str, start: int, end: int) -> bool:
    slashes = 0
    while end - slashes > start and text[end - slashes - 1] == "\\":
        slashes += 1
    return slashes % 2 == 1


def _line_end(text: str, start: int) -> int:
    line = text.find("\n", start)
    return len(text) if line < 0 else line


def _paired(text: str, starts: int, end: int) -> tuple[int, int] | None:
    """Return the second half of a pair such as `('cookie', 'x')`; a list of names is none."""
    opening = text[max(0, starts - 5) : starts].rstrip("\"'\\bu")
    quoted = _QUOTED.match(text, _after_blank(text, end))
    if not opening.endswith(("(", "[")) or quoted is None:
        return None
    span = _in_quotes(text, quoted.end(), quoted["open"])
    closed = span is not None and text.startswith((")", "]"), span[1] + len(quoted["open"]))
    return span if closed else None


def _tagged(text: str, start: int) -> tuple[int, int] | None:
    end = text.find("<", start, start + 8_192)
    return (start, end) if end > start and text[start:end].strip() else None


def _after_blank(text: str, start: int) -> int:
    blank = _BLANK.match(text, start)
    return blank.end() if blank is not None else start


def _span(match: re.Match[str] | None) -> tuple[int, int] | None:
    return match.span() if match is not None and match.group().strip() else None


def _mask_flag(match: re.Match[str]) -> str:
    if keys.verdict(match[1]) != keys.HIDE:
        return match.group()
    return f"{match.group()[: match.start(2) - match.start()]}{MASK}"
