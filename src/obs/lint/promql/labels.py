"""Which labels the result of a query can have."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from obs.lint.promql.nodes import (
    SET_OPERATORS,
    Aggregate,
    Binary,
    Call,
    Node,
    Number,
    Selector,
    String,
    Subquery,
    Unary,
)

_SCALARS = frozenset({"scalar", "time", "pi"})
#: Aggregations that pick series and leave their labels alone.
_PICKING = frozenset({"topk", "bottomk", "limitk", "limit_ratio"})
_WITHOUT_LE = frozenset({"histogram_quantile"})
_ADDING = frozenset({"label_replace", "label_join"})
_ABSENT = frozenset({"absent", "absent_over_time"})


class Labels(NamedTuple):
    """Labels that series may have; with `is_open`, any others as well."""

    names: frozenset[str]
    is_open: bool = False

    def may_have(self, label: str) -> bool:
        """Tell whether a series may have `label`."""
        return self.is_open or label in self.names


ANY = Labels(frozenset(), is_open=True)
NONE = Labels(frozenset())
#: Labels of the series that a selector reads.
Lookup: TypeAlias = Callable[[str], Labels]


def produced(node: Node, lookup: Lookup) -> Labels:
    """Return the labels that the result of `node` may have; the metric's name is none of them."""
    if isinstance(node, Selector):
        return lookup(node.name)
    if isinstance(node, Aggregate):
        return _aggregated(node, produced(node.expr, lookup))
    if isinstance(node, Binary):
        return _combined(node, lookup)
    if isinstance(node, Call):
        return _called(node, lookup)
    if isinstance(node, Unary | Subquery):
        return produced(node.expr, lookup)
    return NONE


def is_scalar(node: Node) -> bool:
    """Tell whether the result is a bare number without labels."""
    if isinstance(node, Binary):
        return is_scalar(node.lhs) and is_scalar(node.rhs)
    if isinstance(node, Unary):
        return is_scalar(node.expr)
    return isinstance(node, Number) or (isinstance(node, Call) and node.func in _SCALARS)


def _aggregated(node: Aggregate, inner: Labels) -> Labels:
    if node.op in _PICKING:
        return inner
    added = {node.param.value} if node.op == "count_values" and isinstance(node.param, String) else set()
    if node.by is not None:
        kept = frozenset(label for label in node.by if inner.may_have(label))
        return Labels(kept | added)
    if node.without is not None:
        return Labels((inner.names - set(node.without)) | added, inner.is_open)
    return Labels(frozenset(added))


def _combined(node: Binary, lookup: Lookup) -> Labels:
    left, right = produced(node.lhs, lookup), produced(node.rhs, lookup)
    if is_scalar(node.rhs) or is_scalar(node.lhs):
        return right if is_scalar(node.lhs) else left
    if node.op in SET_OPERATORS:
        both = Labels(left.names | right.names, left.is_open or right.is_open)
        return both if node.op == "or" else left
    if node.group:
        many = left if node.group == "left" else right
        return Labels(many.names | set(node.include), many.is_open)
    if node.on is not None:
        return Labels(frozenset(label for label in node.on if left.may_have(label)))
    return Labels(left.names - set(node.ignoring or ()), left.is_open)


def _called(node: Call, lookup: Lookup) -> Labels:
    if node.func in _ABSENT:
        inner = node.args[0]
        matchers = inner.matchers if isinstance(inner, Selector) else ()
        return Labels(frozenset(matcher.label for matcher in matchers if matcher.op == "=" and matcher.value))
    if node.func == "info":
        return ANY
    vector = next((argument for argument in node.args if not _is_parameter(argument)), None)
    if vector is None or node.func in _SCALARS:
        return NONE
    inner_labels = produced(vector, lookup)
    if node.func in _WITHOUT_LE:
        return Labels(inner_labels.names - {"le"}, inner_labels.is_open)
    if node.func in _ADDING and len(node.args) > 1 and isinstance(node.args[1], String):
        return Labels(inner_labels.names | {node.args[1].value}, inner_labels.is_open)
    return inner_labels


def _is_parameter(node: Node) -> bool:
    return isinstance(node, String) or is_scalar(node)
