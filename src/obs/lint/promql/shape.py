"""What queries look like to people: conditions, ratios, rates, constants."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import NamedTuple

from obs.lint.promql.labels import is_scalar
from obs.lint.promql.nodes import (
    COMPARISONS,
    Aggregate,
    Binary,
    Call,
    Matcher,
    Node,
    Number,
    Selector,
    Subquery,
    Unary,
    below,
)

#: Functions that make a speed or an amount of a counter.
RATES = frozenset({"rate", "irate", "increase"})
#: The same operator seen from the other side.
_FLIPPED = {">": "<", "<": ">", ">=": "<=", "<=": ">=", "==": "==", "!=": "!="}
_ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": lambda one, other: one / other if other else math.nan,
}


class Condition(NamedTuple):
    """``value op limit``, where `limit` is a number that can be computed."""

    node: Binary
    value: Node
    op: str
    limit: float
    #: The side that holds the number.
    written: Node


def constant(node: Node) -> float | None:
    """Return what `node` is worth when it is a number, or arithmetic of numbers."""
    if isinstance(node, Number):
        return node.value
    if isinstance(node, Unary):
        inner = constant(node.expr)
        return None if inner is None else -inner
    if isinstance(node, Binary) and node.op in _ARITHMETIC:
        left, right = constant(node.lhs), constant(node.rhs)
        return None if left is None or right is None else _ARITHMETIC[node.op](left, right)
    return None


@lru_cache(maxsize=100_000)
def conditions(root: Node) -> tuple[Condition, ...]:
    """Return the comparisons with a number that decide whether the result is empty."""
    return tuple(_conditions(root))


def _conditions(root: Node) -> Iterator[Condition]:
    for node in deciding(root):
        if isinstance(node, Binary) and node.op in COMPARISONS and not node.is_bool:
            right, left = constant(node.rhs), constant(node.lhs)
            if right is not None and not is_scalar(node.lhs):
                yield Condition(node, node.lhs, node.op, right, node.rhs)
            elif left is not None and not is_scalar(node.rhs):
                yield Condition(node, node.rhs, _FLIPPED[node.op], left, node.lhs)


def deciding(root: Node) -> Iterator[Node]:
    """Yield the parts that are joined by `and` and `or`; what stands after `unless` only takes away."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Binary) and node.op == "unless":
            waiting.append(node.lhs)
        elif isinstance(node, Binary) and node.op in {"and", "or"}:
            waiting += [node.rhs, node.lhs]
        else:
            yield node


def inside(node: Node) -> Node:
    """Return what aggregations add up: ``sum by (x) (rate(y[5m]))`` -> ``rate(y[5m])``."""
    while isinstance(node, Aggregate):
        node = node.expr
    return node


def rated(node: Node) -> Selector | None:
    """Return the selector whose rate or increase, aggregated or not, `node` is."""
    node = inside(node)
    if isinstance(node, Call) and node.func in RATES and isinstance(node.args[0], Selector):
        return node.args[0]
    return None


def selectors(node: Node) -> list[Selector]:
    """Return the selectors of `node`, in the order in which they are written."""
    return [one for one in below(node) if isinstance(one, Selector)]


def part_of_whole(node: Node) -> tuple[Selector, Selector] | None:
    """Return bad and total of a division of some events by all events of the same metric.

    The bad ones are those that meet more matchers: such a ratio is at most 1.
    """
    if not isinstance(node, Binary) or node.op != "/":
        return None
    whole = node.rhs
    if isinstance(whole, Binary) and whole.op in COMPARISONS and constant(whole.rhs) is not None:
        whole = whole.lhs
    bad, total = rated(node.lhs), rated(whole)
    if bad is None or total is None or bad.name != total.name:
        return None
    return (bad, total) if set(bad.matchers) > set(total.matchers) else None


def same(one: Node, other: Node) -> bool:  # noqa: PLR0911 - one return a type of node
    """Tell whether two trees say the same."""
    if isinstance(one, Selector) and isinstance(other, Selector):
        return _identity(one) == _identity(other)
    if isinstance(one, Call) and isinstance(other, Call):
        return (
            one.func == other.func
            and len(one.args) == len(other.args)
            and all(same(a, b) for a, b in zip(one.args, other.args, strict=True))
        )
    if isinstance(one, Aggregate) and isinstance(other, Aggregate):
        return (one.op, one.by, one.without) == (other.op, other.by, other.without) and same(
            one.expr, other.expr
        )
    if isinstance(one, Binary) and isinstance(other, Binary):
        return one.op == other.op and same(one.lhs, other.lhs) and same(one.rhs, other.rhs)
    if isinstance(one, Number) and isinstance(other, Number):
        return one.value == other.value
    if isinstance(one, Unary | Subquery) and type(one) is type(other):
        return same(one.expr, other.expr)
    return False


def _identity(selector: Selector) -> tuple[str, frozenset[Matcher], int, int]:
    return selector.name, frozenset(selector.matchers), selector.range_ms, selector.offset_ms
