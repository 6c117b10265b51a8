"""Expressions as plain values, for a reader that must compute what they yield.

The parser's own nodes stay behind this door. What the values here do not spell out (subqueries, unary
minus, strings) is an `Opaque`: whole and printable, so that a server can be asked for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import promql_parser

from obs.generate.derive.promql.tree import inner, text_of, tree_of

#: The parser's operators cannot be keys of a mapping.
_MATCH = (
    (promql_parser.MatchOp.Equal, "="),
    (promql_parser.MatchOp.NotEqual, "!="),
    (promql_parser.MatchOp.Re, "=~"),
    (promql_parser.MatchOp.NotRe, "!~"),
)


@dataclass(frozen=True, slots=True)
class Number:
    """A literal."""

    text: str
    value: float


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on a label; `operator` is one of ``= != =~ !~``."""

    label: str
    operator: str
    value: str


@dataclass(frozen=True, slots=True)
class Selector:
    """Series of one metric; `range` and `offset` are milliseconds, `range` is None at an instant."""

    text: str
    metric: str
    matchers: tuple[Matcher, ...]
    range: int | None
    offset: int
    #: Has an ``@``, or names no metric.
    odd: bool


@dataclass(frozen=True, slots=True)
class Call:
    """A function and its arguments."""

    text: str
    function: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Aggregation:
    """``sum by (...)`` and its like; `by` is False for ``without``."""

    text: str
    operator: str
    by: bool
    labels: tuple[str, ...]
    of: Node
    #: Has a parameter, as ``topk`` and ``quantile`` have.
    odd: bool


@dataclass(frozen=True, slots=True)
class Operation:
    """Two sides and an operator; `many` is the side of which many series may meet one of the other."""

    text: str
    operator: str
    left: Node
    right: Node
    #: ``on`` when True, ``ignoring`` (of nothing by default) when False.
    on: bool
    matched: tuple[str, ...]
    many: Literal["left", "right"] | None
    #: Labels that ``group_left`` and ``group_right`` copy.
    copied: tuple[str, ...]
    #: Yields 0 and 1, instead of leaving out what does not compare.
    as_bool: bool


@dataclass(frozen=True, slots=True)
class Opaque:
    """Anything else."""

    text: str
    parts: tuple[Node, ...]


Node: TypeAlias = Number | Selector | Call | Aggregation | Operation | Opaque


def read(text: str) -> Node:
    """Return `text` as plain values; raise `ObsError` for text that is no PromQL."""
    return _node(tree_of(text))


def children(node: Node) -> tuple[Node, ...]:
    """Return the parts of `node`, in order."""
    if isinstance(node, Call):
        return node.arguments
    if isinstance(node, Aggregation):
        return (node.of,)
    if isinstance(node, Operation):
        return (node.left, node.right)
    return node.parts if isinstance(node, Opaque) else ()


def selectors(node: Node) -> Iterator[Selector]:
    """Yield every selector of `node`, in order."""
    if isinstance(node, Selector):
        yield node
    for child in children(node):
        yield from selectors(child)


def _node(tree: Any) -> Node:  # noqa: PLR0911 - one return for each kind of node
    tree = inner(tree)
    if isinstance(tree, promql_parser.NumberLiteral):
        return Number(text_of(tree), float(tree.val))
    if isinstance(tree, promql_parser.MatrixSelector):
        return _selector(tree, tree.vector_selector, _milliseconds(tree.range))
    if isinstance(tree, promql_parser.VectorSelector):
        return _selector(tree, tree, None)
    if isinstance(tree, promql_parser.Call):
        return Call(text_of(tree), tree.func.name, tuple(_node(argument) for argument in tree.args))
    if isinstance(tree, promql_parser.AggregateExpr):
        return _aggregation(tree)
    if isinstance(tree, promql_parser.BinaryExpr):
        return _operation(tree)
    if isinstance(tree, promql_parser.SubqueryExpr | promql_parser.UnaryExpr):
        return Opaque(text_of(tree), (_node(tree.expr),))
    return Opaque(text_of(tree), ())


def _selector(whole: Any, vector: Any, span: int | None) -> Selector:
    matchers = tuple(
        Matcher(one.name, next(text for operator, text in _MATCH if operator == one.op), one.value)
        for one in vector.matchers.matchers
        if one.name != "__name__"
    )
    offset = _milliseconds(vector.offset) if vector.offset is not None else 0
    odd = not vector.name or vector.at is not None
    return Selector(text_of(whole), vector.name or "", matchers, span, offset, odd)


def _aggregation(tree: Any) -> Aggregation:
    by = tree.modifier is None or tree.modifier.type == promql_parser.AggModifierType.By
    labels = tuple(tree.modifier.labels) if tree.modifier else ()
    return Aggregation(text_of(tree), str(tree.op), by, labels, _node(tree.expr), tree.param is not None)


def _operation(tree: Any) -> Operation:
    modifier = tree.modifier
    matching = modifier.matching if modifier else None
    many: Literal["left", "right"] | None = None
    if modifier and modifier.card == promql_parser.VectorMatchCardinality.ManyToOne:
        many = "left"
    elif modifier and modifier.card == promql_parser.VectorMatchCardinality.OneToMany:
        many = "right"
    return Operation(
        text_of(tree),
        str(tree.op),
        _node(tree.lhs),
        _node(tree.rhs),
        on=matching is not None and matching.type == promql_parser.LabelModifierType.Include,
        matched=tuple(matching.labels) if matching else (),
        many=many,
        copied=tuple(modifier.group_labels or ()) if modifier and many else (),
        as_bool=bool(modifier and modifier.return_bool),
    )


def _milliseconds(span: Any) -> int:
    return round(float(span.total_seconds()) * 1000)
