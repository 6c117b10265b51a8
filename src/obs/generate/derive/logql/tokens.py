"""LogQL text -> tokens with their places."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

from obs.errors import ObsError

Kind: TypeAlias = Literal["name", "text", "number", "span", "size", "macro", "sign", "end"]

#: Longer kinds first: a duration begins as a number does.
_TOKEN = re.compile(
    r"""
    (?P<blank>\s+|\#[^\n]*)
    |(?P<text>"(?:[^"\\\n]|\\.)*"|`[^`]*`)
    |(?P<span>(?:\d+(?:\.\d+)?(?:ns|us|ms|[smhdwy]))+(?![A-Za-z0-9_]))
    |(?P<size>\d+(?:\.\d+)?(?:[kKMGTPE]i?)?B(?![A-Za-z0-9_]))
    |(?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?(?![A-Za-z0-9_]))
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<macro>\$__[a-z_]+)
    |(?P<sign>\|=|\|~|!=|!~|=~|==|>=|<=|[{}()\[\],|=<>+*/%^-])
    """,
    re.VERBOSE,
)
#: What Go's double-quoted strings may escape, as far as we write them.
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\"}


@dataclass(frozen=True, slots=True)
class Token:
    """One token; `value` is the text without its quotes for the kind ``text``."""

    kind: Kind
    value: str
    at: int


def tokenize(text: str) -> list[Token]:
    """Return the tokens of `text`, an end token last; raise `ObsError` where there is none."""
    found: list[Token] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise broken(text, at, "a token")
        kind = match.lastgroup
        if kind == "text":
            found.append(Token("text", _unquoted(match.group(), text, at), at))
        elif kind != "blank":
            found.append(Token(kind, match.group(), at))  # type: ignore[arg-type]  # the groups are the kinds
        at = match.end()
    return [*found, Token("end", "the end", len(text))]


def broken(text: str, at: int, expected: str) -> ObsError:
    """Return the error for what stands at `at`; lines and columns count from 1."""
    line = text.count("\n", 0, at) + 1
    column = at - (text.rfind("\n", 0, at) + 1) + 1
    here = text[at : at + 20].split("\n", maxsplit=1)[0]
    got = repr(here) if here else "the end"
    return ObsError(f"no LogQL: {line}:{column}: got {got}, expected {expected}: {text}")


def _unquoted(quoted: str, text: str, at: int) -> str:
    if quoted[0] == "`":
        return quoted[1:-1]
    parts, index, inner = [], 0, quoted[1:-1]
    while index < len(inner):
        if inner[index] == "\\":
            escape = inner[index + 1]
            if escape not in _ESCAPES:
                raise broken(text, at, "a text without that escape; between backticks none is needed")
            parts.append(_ESCAPES[escape])
            index += 2
        else:
            parts.append(inner[index])
            index += 1
    return "".join(parts)
