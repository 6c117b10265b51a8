"""What a SQL statement is about: its text without values, a fingerprint, its operation and table.

Nothing is parsed in full: a scanner tells words, names, values and comments apart, which takes time
in proportion to the text, whatever the text. What it cannot tell it leaves out, never in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

from obs.integrations.sql_subject import subject

#: Characters of a statement that are looked at, and kept of the text without values.
LIMIT, TEXT_LIMIT = 16_384, 2_000
_NAME_LIMIT = 64
#: What stands for any value.
VALUE = "?"
_REMEMBERED, _REMEMBERED_LENGTH = 1_024, 4_096

_WORD = re.compile(r"[^\W\d][\w$]*")
_NUMBER = re.compile(r"\.?\d(?:[eE][+-]?\d|[\w.])*")
_PARAMETER = re.compile(r"%s|%\(\w+\)s|\$\d+|:\w+|@\w+|\?")
_DOLLAR = re.compile(r"\$(?:[^\W\d]\w*)?\$")
_NESTED = re.compile(r"/\*|\*/")
_OR_BACKSLASH_SINGLE, _OR_BACKSLASH_DOUBLE = re.compile(r"[\\']"), re.compile(r'[\\"]')
_CAST = re.compile(
    r"::\s*[\w.]+(?:\s+(?:precision|varying))?(?:\s*\(\s*\d+\s*(?:,\s*\d+\s*)?\))?"
    r"(?:\s+with(?:out)?\s+time\s+zone)?(?:\[\])*",
    re.IGNORECASE,
)
_LIST = re.compile(r"\( ?[-+]? ?\?(?: ?, ?[-+]? ?\?)* ?\)")
_ROWS = re.compile(r"\(\?\)(?: ?, ?\(\?\))+")


class Statement(NamedTuple):
    """A statement without its values."""

    text: str
    #: 16 hexadecimal digits, the same for statements that differ in values, spacing and case only.
    fingerprint: str
    #: The verb in capitals, OTHER when it is none of SQL's.
    operation: str
    #: The first table, "" when there is none.
    table: str


def read(statement: str, system: str = "") -> Statement:
    """Return what `statement` is about; `system` is the database's name, whose quoting differs."""
    if len(statement) > _REMEMBERED_LENGTH:
        return _read(statement[:LIMIT], system)
    return _remembered(statement, system)


class _Token(NamedTuple):
    #: "word", "name" (quoted), "value", "mark"
    kind: str
    text: str
    #: Whether something separates it from the token before.
    apart: bool


def _read(text: str, system: str) -> Statement:
    tokens = list(_tokens(text, system))
    plain = "".join(" " + token.text if token.apart and at else token.text for at, token in enumerate(tokens))
    plain = _ROWS.sub("(?)", _LIST.sub("(?)", plain))
    # Spacing and the case of unquoted words mean nothing to the database.
    same = " ".join(token.text if token.kind == "name" else token.text.upper() for token in tokens)
    same = _ROWS.sub("(?)", _LIST.sub("(?)", same))
    digest = blake2b(same.encode("utf-8", "replace"), digest_size=8).hexdigest()
    operation, table = subject(tokens)
    return Statement(plain[:TEXT_LIMIT], digest, operation, table)


_remembered = lru_cache(_REMEMBERED)(_read)


def _tokens(text: str, system: str) -> Iterator[_Token]:
    at, end, apart = 0, len(text), False
    backslash = system in {"mysql", "mariadb"}
    while at < end:
        char = text[at]
        if char.isspace():
            at, apart = at + 1, True
            continue
        after = _comment(text, at, char, backslash=backslash)
        if after > at:
            at, apart = after, True
            continue
        token, at = _token(text, at, char, apart, system, backslash=backslash)
        yield token
        apart = False


def _comment(text: str, at: int, char: str, *, backslash: bool) -> int:
    """Return where the comment at `at` ends; `at` when there is none."""
    if text.startswith("--", at) or (char == "#" and backslash):
        found = text.find("\n", at)
        return len(text) if found < 0 else found
    if not text.startswith("/*", at):
        return at
    depth, position = 1, at + 2
    while depth:
        match = _NESTED.search(text, position)
        if match is None:
            return len(text)
        depth += 1 if match.group() == "/*" and not backslash else -1 if match.group() == "*/" else 0
        position = match.end()
    return position


def _token(text: str, at: int, char: str, apart: bool, system: str, *, backslash: bool) -> tuple[_Token, int]:
    if char in "'\"`" or (char == "[" and system == "microsoft.sql_server"):
        return _quotation(text, at, char, apart, backslash=backslash)
    if char == "$" and (opening := _DOLLAR.match(text, at)) is not None:
        closed = text.find(opening.group(), opening.end())
        return _value(text, len(text) if closed < 0 else closed + len(opening.group()), apart)
    if (word := _WORD.match(text, at)) is not None:
        return _word(text, word, apart, system, backslash=backslash)
    if text.startswith("::", at):
        return _Token("mark", "::", apart), at + 2
    value = _NUMBER.match(text, at) or _PARAMETER.match(text, at)
    return _value(text, value.end(), apart) if value is not None else (_Token("mark", char, apart), at + 1)


def _quotation(text: str, at: int, char: str, apart: bool, *, backslash: bool) -> tuple[_Token, int]:
    stop = _quoted(text, at, "]" if char == "[" else char, backslash=backslash and char in "'\"")
    if char == "'" or (char == '"' and backslash):
        return _value(text, stop, apart)
    # A name that never ends may be anything.
    closed = stop - at <= 2 * _NAME_LIMIT and text[stop - 1] in '"`]' and stop - at > 1
    return _Token("name", text[at:stop] if closed else f"{char}{VALUE}{char}", apart), stop


def _word(text: str, word: re.Match[str], apart: bool, system: str, *, backslash: bool) -> tuple[_Token, int]:
    found, stop = word.group(), word.end()
    if text.startswith("'", stop) and len(found) <= 2:
        prefix = found.lower()
        if prefix in {"e", "x", "b", "n"}:
            return _value(text, _quoted(text, stop, "'", backslash=backslash or prefix == "e"), apart)
        if prefix in {"q", "nq"} and system == "oracle.db":
            opener = text[stop + 1 : stop + 2]
            closer = {"[": "]", "(": ")", "{": "}", "<": ">"}.get(opener, opener) + "'"
            closed = text.find(closer, stop + 2)
            return _value(text, len(text) if closed < 0 else closed + len(closer), apart)
    return _Token("word", found[: 2 * _NAME_LIMIT], apart), stop


def _quoted(text: str, at: int, close: str, *, backslash: bool) -> int:
    """Return where what is quoted at `at` ends; a doubled quote is part of it, an open end takes the rest."""
    position = at + 1
    while True:
        if backslash:
            match = (_OR_BACKSLASH_SINGLE if close == "'" else _OR_BACKSLASH_DOUBLE).search(text, position)
            found = -1 if match is None else match.start()
        else:
            found = text.find(close, position)
        if found < 0:
            return len(text)
        if text[found] != "\\" and not text.startswith(close, found + 1):
            return found + 1
        position = found + 2


def _value(text: str, stop: int, apart: bool) -> tuple[_Token, int]:
    # A cast of a parameter differs by driver and stands in the way of lists.
    cast = _CAST.match(text, stop)
    return _Token("value", VALUE, apart), cast.end() if cast is not None else stop
