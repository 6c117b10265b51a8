"""Where the nodes of a tree stand in their text: the parser gives no positions, so tokens are counted.

Only findings pay for it. Nodes of one type come in the order in which they are written, in the tree as
among the tokens, so the n-th call of the tree is the n-th call of the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple, TypeAlias

from obs.lint.promql.nodes import (
    Aggregate,
    Binary,
    Call,
    Node,
    Number,
    Selector,
    String,
    Subquery,
    Unary,
    below,
    children,
)
from obs.lint.promql.parse import BEFORE_NUMBERS, Parsed

AGGREGATIONS = frozenset(
    {
        "sum", "avg", "count", "min", "max", "group", "stddev", "stdvar", "topk", "bottomk",
        "count_values", "quantile", "limitk", "limit_ratio",
    }
)  # fmt: skip
_GROUPINGS = frozenset({"by", "without", "on", "ignoring", "group_left", "group_right"})
_WORD_OPERATORS = frozenset({"and", "or", "unless", "atan2"})

Kind: TypeAlias = Literal["selector", "call", "aggregate", "binary", "number", "string", "other"]

_TOKEN = re.compile(
    r"""
    (?P<blank>\s+|\#[^\n]*)
    |(?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)
    |(?P<variable>\$\{\w+(?::\w+)?\}|\$\w+|\[\[\w+(?::\w+)?\]\])
    |(?P<number>(?:0x[0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(?![\w.:])|(?:\d+(?:ms|[smhdwy]))+(?![\w.:]))
    |(?P<word>[a-zA-Z_:][a-zA-Z0-9_:]*)
    |(?P<operator>=~|!~|==|!=|>=|<=|[-+*/%^<>=@])
    |(?P<mark>[(){}\[\],])
    |(?P<unknown>.)
    """,
    re.VERBOSE | re.DOTALL,
)


class Token(NamedTuple):
    """A word, sign or text and where it starts."""

    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        """Offset of the first character after it."""
        return self.start + len(self.text)


class Piece(NamedTuple):
    """What a node of the tree was written as: its head (`start` to `end`) and its extent, braces included."""

    kind: Kind
    start: int
    end: int
    #: Where the braces or the arguments end; equal to `end` where there are none.
    until: int


def tokens(text: str) -> list[Token]:
    """Return the tokens of `text` without blanks and comments; anything at all can be scanned."""
    return [
        Token(match.lastgroup or "", match.group(), match.start())
        for match in _TOKEN.finditer(text)
        if match.lastgroup != "blank"
    ]


def pieces(text: str) -> list[Piece]:
    """Return what the nodes of `text` were written as, in order."""
    return list(_Scan(text).run())


def locate(text: str, parsed: Parsed, node: Node, label: str = "") -> tuple[int, int]:
    """Return offset and length of the head of `node`, or of the word `label` within it; 0 and all of it at worst.

    A head is a metric's name, a function's name, an operator, a number.
    """
    piece = _piece(text, parsed, node)
    if piece is None:
        return 0, len(text)
    if label:
        for token in _labels(tokens(text[piece.start : piece.until]), piece.kind):
            if token.text == label:
                return piece.start + token.start, len(label)
    return piece.start, piece.end - piece.start


def extent(text: str, parsed: Parsed, node: Node) -> tuple[int, int]:
    """Return where a call, an aggregation or a selector begins and ends, its braces and arguments included."""
    piece = _piece(text, parsed, node)
    return (0, len(text)) if piece is None else (piece.start, piece.until)


def _piece(text: str, parsed: Parsed, node: Node) -> Piece | None:
    kind = _kind(node)
    ordinal = _ordinal(parsed, node, kind)
    same = [piece for piece in pieces(text) if piece.kind == kind]
    return None if ordinal is None or ordinal >= len(same) else same[ordinal]


def _labels(found: list[Token], kind: Kind) -> Iterator[Token]:
    """Yield the words among the tokens of one piece that name labels of its own."""
    depth, grouping = 0, False
    for token in found[1:]:
        if token.text == "(":
            depth += 1
        elif token.text == ")":
            depth -= 1
            grouping = grouping and depth > 0
        elif depth == 0 and token.text.lower() in _GROUPINGS:
            grouping = True
        elif token.kind == "word" and (kind != "aggregate" or grouping):
            yield token


def _kind(node: Node) -> Kind:
    if isinstance(node, Selector):
        return "selector"
    if isinstance(node, Call):
        return "call"
    if isinstance(node, Aggregate):
        return "aggregate"
    if isinstance(node, Binary):
        return "binary"
    if isinstance(node, Number):
        return "number"
    return "string" if isinstance(node, String) else "other"


def _ordinal(parsed: Parsed, node: Node, kind: Kind) -> int | None:
    if isinstance(node, Subquery | Unary):
        return _ordinal(parsed, node.expr, _kind(node.expr))
    if parsed.root is None:
        return None
    if kind == "binary":
        # Operators stand between their sides.
        order = _in_order(parsed.root)
    else:
        order = [one for one in below(parsed.root) if _kind(one) == kind]
    return next((number for number, one in enumerate(order) if one is node), None)


def _in_order(root: Node) -> list[Node]:
    found: list[Node] = []
    waiting: list[tuple[Node, bool]] = [(root, False)]
    while waiting:
        node, met = waiting.pop()
        if isinstance(node, Binary):
            if met:
                found.append(node)
                continue
            waiting += [(node.rhs, False), (node, True), (node.lhs, False)]
        else:
            waiting += [(child, False) for child in reversed(children(node))]
    return found


def _is_number(before: Token | None, following: str) -> bool:
    """Tell whether the parser was given a number in place of a variable."""
    return before is not None and before.text.endswith(BEFORE_NUMBERS) and following not in {"{", "["}


class _Scan:
    def __init__(self, text: str) -> None:
        self._tokens = tokens(text)
        self._found: list[Piece] = []

    def run(self) -> list[Piece]:
        at = 0
        before: Token | None = None
        while at < len(self._tokens):
            token = self._tokens[at]
            at, before = self._step(at, token, before), token
        return self._found

    def _step(self, at: int, token: Token, before: Token | None) -> int:
        following = self._tokens[at + 1].text if at + 1 < len(self._tokens) else ""
        if token.kind == "variable" and _is_number(before, following):
            self._add("number", token)
            return at + 1
        if token.kind in {"word", "variable"}:
            return self._word(at, token, following)
        if token.text == "{":
            close = self._closing(at, "{", "}")
            self._add("selector", token, token.end, self._tokens[close].end)
            return close + 1
        if token.text == "[":
            return self._closing(at, "[", "]") + 1
        if token.text == "@":
            return at + 2
        if token.kind == "string":
            self._add("string", token)
        elif token.kind == "number":
            self._add("number", token)
        elif token.kind == "operator" and not self._is_sign(before):
            self._add("binary", token)
        return at + 1

    def _word(self, at: int, token: Token, following: str) -> int:
        word = token.text.lower()
        if word == "bool":
            return at + 1
        if word in _GROUPINGS:
            return self._closing(at + 1, "(", ")") + 1 if following == "(" else at + 1
        if word == "offset":
            return at + (3 if following in {"-", "+"} else 2)
        if word in _WORD_OPERATORS:
            self._add("binary", token)
        elif word in AGGREGATIONS and following in {"(", "by", "without"}:
            self._add("aggregate", token, token.end, self._end_of_aggregate(at))
        elif following == "(":
            self._add("call", token, token.end, self._tokens[self._closing(at + 1, "(", ")")].end)
        elif word in {"inf", "nan"}:
            self._add("number", token)
        elif following == "{":
            close = self._closing(at + 1, "{", "}")
            self._add("selector", token, token.end, self._tokens[close].end)
            return close + 1
        else:
            self._add("selector", token)
        return at + 1

    def _end_of_aggregate(self, at: int) -> int:
        """Return where ``sum (…) by (…)`` or ``sum by (…) (…)`` ends."""
        here = at + 1
        end = self._tokens[at].end
        for _ in range(2):
            if here < len(self._tokens) and self._tokens[here].text in {"by", "without"}:
                here += 1
            if here < len(self._tokens) and self._tokens[here].text == "(":
                close = self._closing(here, "(", ")")
                end, here = self._tokens[close].end, close + 1
                if here < len(self._tokens) and self._tokens[here].text not in {"by", "without", "("}:
                    break
        return end

    def _is_sign(self, before: Token | None) -> bool:
        """Tell whether a plus or minus stands before a value and not between two."""
        if before is None or before.kind == "operator" or before.text in {"(", ","}:
            return True
        return before.text.lower() in _GROUPINGS | _WORD_OPERATORS | {"bool"}

    def _closing(self, at: int, opening: str, closing: str) -> int:
        depth = 0
        for number in range(at, len(self._tokens)):
            text = self._tokens[number].text
            depth += (text == opening) - (text == closing)
            if depth == 0:
                return number
        return len(self._tokens) - 1

    def _add(self, kind: Kind, token: Token, end: int | None = None, until: int | None = None) -> None:
        end = token.end if end is None else end
        self._found.append(Piece(kind, token.start, end, until or end))
