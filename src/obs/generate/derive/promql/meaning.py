"""What a query yields and reads, known from its tree: labels, comparisons, and how far it looks back."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import promql_parser

from obs.generate.derive.promql.tree import inner, tree_of
from obs.generate.model import Duration

_COMPARISONS = frozenset({">", "<", ">=", "<=", "=="})


def keeps(text: str, label: str) -> bool:
    """Tell whether what `text` yields may carry `label`, going by its aggregations and joins."""
    return _keeps(tree_of(text), label)


def condition(text: str) -> tuple[str, str, Decimal] | None:
    """Return what a comparison with a number compares: text, operator, number; None for anything else."""
    node = inner(tree_of(text))
    if not isinstance(node, promql_parser.BinaryExpr) or str(node.op) not in _COMPARISONS:
        return None
    right = inner(node.rhs)
    if not isinstance(right, promql_parser.NumberLiteral) or math.isnan(right.val) or math.isinf(right.val):
        return None
    return str(node.lhs.prettify()), str(node.op), Decimal(repr(right.val))


def reach(text: str) -> Duration:
    """Return how far back `text` looks: the longest sum of ranges, subqueries and offsets on one path."""
    return Duration(round(_reach(tree_of(text)) * 1000))


def _keeps(node: Any, label: str) -> bool:
    node = inner(node)
    if isinstance(node, promql_parser.VectorSelector | promql_parser.MatrixSelector):
        return True
    if isinstance(node, promql_parser.SubqueryExpr | promql_parser.UnaryExpr):
        return _keeps(node.expr, label)
    if isinstance(node, promql_parser.AggregateExpr):
        return _aggregate_keeps(node, label)
    if isinstance(node, promql_parser.BinaryExpr):
        return _binary_keeps(node, label)
    if isinstance(node, promql_parser.Call):
        return _call_keeps(node, label)
    return False


def _aggregate_keeps(node: Any, label: str) -> bool:
    if str(node.op) in {"topk", "bottomk", "limitk", "limit_ratio"}:
        return _keeps(node.expr, label)
    if node.modifier is None:
        return False
    named = label in node.modifier.labels
    by = node.modifier.type == promql_parser.AggModifierType.By
    return named == by and _keeps(node.expr, label)


def _binary_keeps(node: Any, label: str) -> bool:
    sides = _keeps(node.lhs, label), _keeps(node.rhs, label)
    operator = str(node.op)
    if operator == "or":
        return all(sides)
    if operator in {"and", "unless"}:
        return sides[0]
    vectors = [
        inner(side).__class__ is not promql_parser.NumberLiteral and _is_vector(side)
        for side in (node.lhs, node.rhs)
    ]
    if not all(vectors):
        return sides[0] if vectors[0] else sides[1]
    return _join_keeps(node.modifier, sides, label)


def _join_keeps(modifier: Any, sides: tuple[bool, bool], label: str) -> bool:
    """Tell whether a join of two vectors keeps `label`; `sides` says which of them have it."""
    if modifier is None or modifier.matching is None:
        return all(sides)
    for card, many in zip(
        (promql_parser.VectorMatchCardinality.ManyToOne, promql_parser.VectorMatchCardinality.OneToMany),
        sides,
        strict=True,
    ):
        if modifier.card == card:
            return many or label in modifier.group_labels
    included = modifier.matching.type == promql_parser.LabelModifierType.Include
    return (label in modifier.matching.labels) == included and all(sides)


def _is_vector(node: Any) -> bool:
    node = inner(node)
    if isinstance(node, promql_parser.NumberLiteral | promql_parser.StringLiteral):
        return False
    if isinstance(node, promql_parser.Call):
        return node.func.name not in {"time", "scalar", "pi"}
    if isinstance(node, promql_parser.BinaryExpr):
        return _is_vector(node.lhs) or _is_vector(node.rhs)
    if isinstance(node, promql_parser.UnaryExpr):
        return _is_vector(node.expr)
    return True


def _call_keeps(node: Any, label: str) -> bool:
    name, arguments = node.func.name, list(node.args)
    if name in {"absent", "absent_over_time"}:
        selector = inner(arguments[0])
        selector = getattr(selector, "vector_selector", selector)
        if not isinstance(selector, promql_parser.VectorSelector):
            return False
        equal = {one.name for one in selector.matchers.matchers if one.op == promql_parser.MatchOp.Equal}
        return label in equal
    if name in {"label_replace", "label_join"} and arguments[1].val == label:
        return True
    return any(_keeps(argument, label) for argument in arguments if _is_vector(argument))


def _reach(node: Any) -> float:
    node = inner(node)
    own = 0.0
    span = getattr(node, "range", None)
    if span is not None:
        own += span.total_seconds()
    if isinstance(node, promql_parser.MatrixSelector):
        node = node.vector_selector
    offset = getattr(node, "offset", None)
    if offset is not None:
        own += max(0.0, offset.total_seconds())
    return own + max((_reach(child) for child in _children(node)), default=0.0)


def _children(node: Any) -> list[Any]:
    if isinstance(node, promql_parser.Call):
        return [one for one in node.args if not isinstance(one, promql_parser.StringLiteral)]
    if isinstance(node, promql_parser.BinaryExpr):
        return [node.lhs, node.rhs]
    if isinstance(node, promql_parser.AggregateExpr):
        return [node.expr]
    if isinstance(node, promql_parser.SubqueryExpr | promql_parser.UnaryExpr):
        return [node.expr]
    return []
