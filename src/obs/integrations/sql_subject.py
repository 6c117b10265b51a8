"""Which operation and which table a SQL statement is mostly about, from its tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

_NAME_LIMIT = 64
_MOST_PARTS = 4

# fmt: off
_VERBS = frozenset((
    "SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE", "CREATE", "ALTER", "DROP", "TRUNCATE", "BEGIN",
    "START", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "SET", "SHOW", "EXPLAIN", "ANALYZE", "VACUUM", "CALL",
    "EXECUTE", "COPY", "LOCK", "PRAGMA", "GRANT", "REVOKE", "REFRESH", "LISTEN", "NOTIFY", "DECLARE", "FETCH",
    "CLOSE", "DO", "USE", "VALUES", "REINDEX", "COMMENT",
))
# fmt: on
_DATA = frozenset(("SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE", "VALUES"))
_BEFORE_TABLE = frozenset(("FROM", "INTO", "UPDATE", "JOIN", "TABLE", "COPY"))
_OPENS_QUERY = frozenset(("SELECT", "WITH", "DELETE", "UPDATE", "INSERT"))
#: Words between such a word and the table, words that say that there is none, and words before it that do.
_SKIPPED = frozenset(("IF", "NOT", "EXISTS", "ONLY", "LATERAL"))
_NO_TABLE = frozenset(("SET", "SELECT", "OF", "VALUES", "NOWAIT", "SKIP", "WITH"))
_TURNED = {"UPDATE": ("FOR", "DO", "KEY", "ON"), "FROM": ("DISTINCT",)}


class Token(Protocol):
    """A piece of a statement."""

    @property
    def kind(self) -> str:
        """Return word, name (quoted), value or mark."""

    @property
    def text(self) -> str:
        """Return the piece as it stands in the statement."""


def subject(tokens: Sequence[Token]) -> tuple[str, str]:
    """Return the verb in capitals (OTHER when it is none) and the first table, "" when there is none.

    A table of the outermost query goes before one of a query inside; what WITH defines is no table.
    """
    found = _Subject(tokens)
    for at, token in enumerate(tokens):
        found.take(at, token)
        if found.operation and found.outer:
            break
    return found.operation or "OTHER", found.outer or found.inner


class _Subject:
    def __init__(self, tokens: Sequence[Token]) -> None:
        self.operation = self.outer = self.inner = ""
        self._tokens = tokens
        self._defines = False
        self._defined: set[str] = set()
        #: For each open parenthesis whether a query stands in it: EXTRACT(year FROM x) is none.
        self._queries = [True]

    def take(self, at: int, token: Token) -> None:
        if token.kind == "mark":
            self._mark(at, token.text)
        elif token.kind == "word":
            word = token.text.upper()
            self._verb(at, word)
            if word in _BEFORE_TABLE and self._queries[-1]:
                self._note(_table(self._tokens, at, word))
        elif token.kind == "name":
            self._define(at)

    def _mark(self, at: int, text: str) -> None:
        if text == "(":
            self._queries.append(_upper(self._tokens, at + 1) in _OPENS_QUERY)
        elif text == ")" and len(self._queries) > 1:
            self._queries.pop()

    def _verb(self, at: int, word: str) -> None:
        if self.operation:
            return
        if not self._defines:
            self._defines = word == "WITH"
            self.operation = "" if self._defines else word if word in _VERBS else "OTHER"
        elif len(self._queries) == 1:
            self.operation = word if word in _DATA else ""
            self._define(at)

    def _define(self, at: int) -> None:
        outermost = self._defines and not self.operation and len(self._queries) == 1
        if outermost and _upper(self._tokens, at - 1) in {"WITH", "RECURSIVE", ","}:
            self._defined.add(_name(self._tokens[at]))

    def _note(self, table: str) -> None:
        if table and table not in self._defined:
            self.inner = self.inner or table
            if len(self._queries) == 1:
                self.outer = self.outer or table


def _table(tokens: Sequence[Token], at: int, word: str) -> str:
    if at and _upper(tokens, at - 1) in _TURNED.get(word, ()):
        return ""
    at += 1
    while _upper(tokens, at) in _SKIPPED:
        at += 1
    if not _is_named(tokens, at) or _upper(tokens, at) in _NO_TABLE:
        return ""
    parts = [_name(tokens[at])]
    while len(parts) < _MOST_PARTS and _upper(tokens, at + 1) == "." and _is_named(tokens, at + 2):
        at += 2
        parts.append(_name(tokens[at]))
    # A function that returns rows is no table.
    if word in {"FROM", "JOIN"} and _upper(tokens, at + 1) == "(":
        return ""
    return ".".join(parts)[:_NAME_LIMIT]


def _upper(tokens: Sequence[Token], at: int) -> str:
    return tokens[at].text.upper() if 0 <= at < len(tokens) else ""


def _is_named(tokens: Sequence[Token], at: int) -> bool:
    return at < len(tokens) and tokens[at].kind in {"word", "name"}


def _name(token: Token) -> str:
    return token.text[1:-1] if token.kind == "name" else token.text
