"""Secrets inside of text that are known by the name before them: JSON, headers, queries, code.

`password=x`, `"token": "x"`, `Authorization: Bearer x`, `?sig=x`, `('cookie', 'x')`, `<pin>1</pin>`.
The separators are found first and the name is read backwards from each, a bounded way: that is
linear, and three times as fast as trying every word as a name. A tag begins with its name instead.
"""

from __future__ import annotations

import re
import string

from obs.runtime.redaction import keys, tags
from obs.runtime.redaction.beside import NAMES, value_beside
from obs.runtime.redaction.logins import password_after
from obs.runtime.redaction.mask import MASK
from obs.runtime.redaction.values import (
    CLOSE,
    EMPTY,
    OPEN,
    PLAIN,
    QUOTED,
    Brackets,
    after_blank,
    in_quotes,
)  # fmt: skip

_SEPARATOR = re.compile(r"""[=:<]|["'],|%3[dDaA]|&lt;""")
_IN_NAME = string.ascii_letters + string.digits + "_.-"
_NAME_LIMIT = 128
#: A name of two words, such as `api key`; the first is looked for where the second may be one.
_SECOND = frozenset({"key", "number", "token", "code", "id", "phrase"})
_FIRST = re.compile(r"([A-Za-z]{2,12})[ ]\Z")
_ANNOTATION = re.compile(r"[ \t]{0,8}(?:str|bytes|int|Any|SecretStr)(?:[ ]\|[ ]None)?[ ]=(?!=)")
_LINE = re.compile(r"""[^\r\n"'<>\\]+""")
#: A block of lines in YAML; all that are indented as the first one belong to it.
_BLOCK = re.compile(r"[|>][+-]?[0-9]?[ \t]{0,8}(?P<line>\r?\n|\\n)(?P<indent>[ \t]{1,64})(?=\S)")
#: A call or a look-up in a source line names where a secret comes from and is none.
_CODE = re.compile(
    r"(?:await )?[a-z_]+(?:\.[a-z_]+)*[(\[]|(?:self|cls|os|settings|config|request)\.[A-Za-z_]"
)
#: Headers whose value goes on after the first space.
_WHOLE_LINE = ("authorization", "cookie")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9-]{2,15}[ ]")
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
_ENDS = CLOSE + ":"
_QUOTES = frozenset({"%22", "%27"})


def mask_named(text: str) -> str:
    """Return `text` with the values masked that stand after a secret's name."""
    parts: list[str] = []
    done = 0
    brackets = Brackets(text)
    logins = "@" in text
    for found in _SEPARATOR.finditer(text):
        at = found.start()
        if at < done:
            continue
        if text[at] in "<&":
            span = tags.value_of(text, at, found.end())
        else:
            span = _secret_after(text, at, found.end(), brackets, logins)
        if span is not None and span[0] >= done:
            parts += [text[done : span[0]], MASK]
            done = span[1]
    return "".join([*parts, text[done:]]) if parts else text


def _secret_after(text: str, at: int, end: int, brackets: Brackets, logins: bool) -> tuple[int, int] | None:
    """Return where the secret after the separator at `at` stands; None where there is none."""
    stop, quoted = _name_end(text, at)
    before = text[max(0, stop - _NAME_LIMIT) : stop]
    first = len(before.rstrip(_IN_NAME))
    name = before[first:]
    if first > 0 and before[first - 1] == "%":
        # A query inside of a query: what its escape leaves is no part of the name.
        name = name[2:]
    if len(name) > 1:
        full = name
        if name.lower() in _SECOND:
            earlier = _FIRST.search(before, max(0, first - 14), first)
            if earlier is not None:
                full = f"{earlier[1]} {name}"
        if keys.verdict(full) == keys.HIDE:
            if text[end - 1] == ",":
                return _paired(text, stop - len(before) + first, end, full)
            return _separated(text, at, end, full, brackets, quoted=quoted)
        if name in NAMES and text[at] in "=:":
            return value_beside(text, at, end)
    if logins and text[at] == ":" and stop == at and before[first - 1 : first] not in {"/", ":", "%", "\\"}:
        return password_after(text, end, name)
    return None


def _name_end(text: str, at: int) -> tuple[int, bool]:
    """Return where the name before a separator ends, and whether quotes close it."""
    mark = text[at]
    if mark in "\"'":
        stop = at + 1
    else:
        stop = at
        while stop > 0 and text[stop - 1] in " \t" and at - stop < 8:
            stop -= 1
        last = text[stop - 1 : stop]
        if last.isalpha():
            return stop, False
        if last == "]" or (last == ")" and text.startswith("=(", at)):
            # A look-up, or a column and its value in PostgreSQL's words.
            stop -= 1
        elif mark == "%" and text[max(0, stop - 3) : stop] in _QUOTES:
            return stop - 3, True
    if stop > 0 and text[stop - 1] in "\"'":
        stop -= 1
        while stop > 0 and text[stop - 1] == "\\":
            stop -= 1
        return stop, True
    return stop, False


def _separated(  # noqa: PLR0911 - one return a form
    text: str, at: int, end: int, name: str, brackets: Brackets, *, quoted: bool
) -> tuple[int, int] | None:
    colon, spaced = text[at] == ":", text[at - 1 : at] == " "
    end = _separator_end(text, at, end, colon=colon)
    start = after_blank(text, end)
    if not end or text.startswith(MASK, start):
        return None
    opened = QUOTED.match(text, start)
    if opened is not None:
        return in_quotes(text, opened.end(), opened["open"])
    if text[at] == "%" and text[start : start + 3] in _QUOTES:
        return in_quotes(text, start + 3, text[start : start + 3])
    if start < len(text) and text[start] in OPEN:
        if (spaced and not colon) or _BRACED.match(text, start) is not None:
            return None
        return brackets.span(start)
    if colon:
        return _after_colon(text, start, name, brackets, quoted=quoted)
    if spaced and _CODE.match(text, start) is not None:
        return None
    return _unquoted(text, start, name, brackets, prose=False)


def _separator_end(text: str, at: int, end: int, *, colon: bool) -> int:
    """Return where a separator of more than one character ends; 0 where it is none of a name and a value."""
    if colon:
        if text.startswith((":", "//"), end) or text[at - 1 : at] == ":":
            return 0
        annotation = _ANNOTATION.match(text, end)
        return annotation.end() if annotation is not None else end + text.startswith("=", end)
    return 0 if text.startswith("=", end) else end + text.startswith(">", end)


def _after_colon(
    text: str, start: int, name: str, brackets: Brackets, *, quoted: bool
) -> tuple[int, int] | None:
    block = _BLOCK.match(text, start)
    if block is not None:
        return _block(text, block.end(), block["line"], block["indent"])
    if not quoted and name.lower().endswith(_WHOLE_LINE):
        return _span(_LINE.match(text, start))
    return _unquoted(text, start, name, brackets, prose=not quoted)


def _block(text: str, start: int, line: str, indent: str) -> tuple[int, int]:
    """Return the span of the lines that are indented as the first one, which begins at `start`."""
    end = text.find(line, start)
    while end >= 0 and text.startswith((line + indent, line + line), end):
        end = text.find(line, end + len(line))
    return start, end if end >= 0 else len(text)


def _unquoted(text: str, start: int, name: str, brackets: Brackets, *, prose: bool) -> tuple[int, int] | None:
    ambiguous = prose and name.lower() in _IN_PROSE
    scheme = _SCHEME.match(text, start) if name.lower().endswith("authorization") else None
    credential = PLAIN.match(text, scheme.end()) if scheme is not None else None
    if credential is not None and "=" not in credential.group().rstrip("="):
        return start, credential.end()
    plain = None if ambiguous and _DIGIT_NEAR.match(text, start) is None else PLAIN.match(text, start)
    if plain is None:
        return None
    value = plain.group()
    bare = value.rstrip(_ENDS) or value
    if bare.lower() in EMPTY or _PLACEHOLDER.match(value) or (ambiguous and len(bare) < _SHORT):
        return None
    if prose and not any(map(str.isalnum, bare)):
        # The rest of a sentence.
        return None
    if "(" in value and text[plain.end() : plain.end() + 1] in {'"', "'"}:
        # What a wrapper of the value shows of itself: SecretStr('x').
        return start, brackets.span(start + value.index("("))[1]
    return start, start + len(bare)


def _paired(text: str, starts: int, end: int, name: str) -> tuple[int, int] | None:
    """Return the second half of a pair such as `('cookie', 'x')`; a list of names is none.

    In a list of a command's arguments the one after a flag is the second half.
    """
    opening = text[max(0, starts - 5) : starts].rstrip("\"'\\bu")
    quoted = QUOTED.match(text, after_blank(text, end))
    flag = name.startswith("--")
    if quoted is None or not (flag or opening.endswith(("(", "["))):
        return None
    span = in_quotes(text, quoted.end(), quoted["open"])
    if flag:
        return span
    closed = span is not None and text.startswith((")", "]"), span[1] + len(quoted["open"]))
    return span if closed else None


def _span(match: re.Match[str] | None) -> tuple[int, int] | None:
    return match.span() if match is not None and match.group().strip() else None
