"""Which labels the result of a query can have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

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
_NOTHING: frozenset[str] = frozenset()
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


class Producer:
    """Computes the labels of results, of each node once; `lookup` knows those of the series of a metric."""

    def __init__(self, lookup: Lookup) -> None:
        self.lookup = lookup
        self._known: dict[Node, Labels] = {}

    def __call__(self, node: Node) -> Labels:
        """Return the labels that the result of `node` may have; the metric's name is none of them."""
        known = self._known.get(node)
        if known is None:
            known = self._known[node] = _PRODUCED[type(node)](node, self)
        return known


def produced(node: Node, lookup: Lookup) -> Labels:
    """Return the labels that the result of one `node` may have."""
    return Producer(lookup)(node)


def is_scalar(node: Node) -> bool:
    """Tell whether the result is a bare number without labels."""
    if isinstance(node, Number):
        return True
    if isinstance(node, Call):
        return node.func in _SCALARS
    if isinstance(node, Binary):
        return is_scalar(node.lhs) and is_scalar(node.rhs)
    return isinstance(node, Unary) and is_scalar(node.expr)


def _selected(node: Selector, of: Producer) -> Labels:
    return of.lookup(node.name)


def _aggregated(node: Aggregate, of: Producer) -> Labels:
    inner = of(node.expr)
    if node.op in _PICKING:
        return inner
    added = {node.param.value} if node.op == "count_values" and isinstance(node.param, String) else _NOTHING
    if node.by is not None:
        kept = frozenset(node.by) if inner.is_open else inner.names.intersection(node.by)
        return Labels(kept | added if added else kept)
    if node.without is not None:
        return Labels((inner.names - set(node.without)) | added, inner.is_open)
    return Labels(frozenset(added))


def _combined(node: Binary, of: Producer) -> Labels:
    left, right = of(node.lhs), of(node.rhs)
    if is_scalar(node.lhs):
        return right
    if is_scalar(node.rhs):
        return left
    if node.op in SET_OPERATORS:
        both = Labels(left.names | right.names, left.is_open or right.is_open)
        return both if node.op == "or" else left
    if node.group:
        many = left if node.group == "left" else right
        return Labels(many.names | set(node.include), many.is_open)
    if node.on is not None:
        return Labels(frozenset(label for label in node.on if left.may_have(label)))
    return Labels(left.names.difference(node.ignoring), left.is_open) if node.ignoring else left


def _inner(node: Unary | Subquery, of: Producer) -> Labels:
    return of(node.expr)


def _none(_: Number | String, of: Producer) -> Labels:  # noqa: ARG001 - the shape of the others
    return NONE


def _called(node: Call, of: Producer) -> Labels:
    func = node.func
    if func in _ABSENT:
        inner = node.args[0]
        matchers = inner.matchers if isinstance(inner, Selector) else ()
        return Labels(frozenset(matcher.label for matcher in matchers if matcher.op == "=" and matcher.value))
    if func == "info":
        return ANY
    vector = next((argument for argument in node.args if not _is_parameter(argument)), None)
    if vector is None or func in _SCALARS:
        return NONE
    inner_labels = of(vector)
    if func in _WITHOUT_LE:
        return Labels(inner_labels.names - {"le"}, inner_labels.is_open)
    if func in _ADDING and len(node.args) > 1 and isinstance(node.args[1], String):
        return Labels(inner_labels.names | {node.args[1].value}, inner_labels.is_open)
    return inner_labels


def _is_parameter(node: Node) -> bool:
    return isinstance(node, String) or is_scalar(node)


_PRODUCED: dict[type[Node], Callable[[Any, Producer], Labels]] = {
    Selector: _selected,
    Aggregate: _aggregated,
    Binary: _combined,
    Call: _called,
    Unary: _inner,
    Subquery: _inner,
    Number: _none,
    String: _none,
}
