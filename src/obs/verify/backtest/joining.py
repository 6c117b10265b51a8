"""Operators and aggregations over whole columns, with the label rules of PromQL."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Literal

from obs.generate.derive.promql.syntax import Aggregation, Operation
from obs.verify.backtest.asking import CannotJudge
from obs.verify.backtest.moments import Columns, Labels, Values

Sides = Literal["left", "right"]


def _divide(left: float, right: float) -> float:
    if right:
        return left / right
    return (
        math.nan if not left or math.isnan(left) else math.copysign(math.inf, left) * math.copysign(1, right)
    )


_ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divide,
}
_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
}
SETS = frozenset({"and", "or", "unless"})
_AGGREGATIONS: dict[str, Callable[[list[float]], float]] = {
    "sum": math.fsum,
    "min": min,
    "max": max,
    "count": lambda values: float(len(values)),
    "group": lambda _: 1.0,
    "avg": lambda values: math.fsum(values) / len(values),
}


def combine(node: Operation, left: Values, right: Values, *, filters: Sides | None) -> Values:
    """Apply an operator instant by instant; `filters` names the side whose value a comparison keeps."""
    compare = _COMPARISONS.get(node.operator)
    if compare is None:
        work = _ARITHMETIC.get(node.operator)
        if work is None:
            raise CannotJudge(f"the operator {node.operator} over recorded series is not known here")
        return [
            None if one is None or two is None else work(one, two)
            for one, two in zip(left, right, strict=True)
        ]
    if node.as_bool:
        return [
            None if one is None or two is None else float(compare(one, two))
            for one, two in zip(left, right, strict=True)
        ]
    kept = right if filters == "right" else left
    return [
        value if one is not None and two is not None and compare(one, two) else None
        for value, one, two in zip(kept, left, right, strict=True)
    ]


def join(node: Operation, left: Columns, right: Columns) -> Columns:
    """Return what two vectors and an operator between them yield."""
    if node.operator in SETS:
        return _set(node, left, right)
    many, one = (right, left) if node.many == "right" else (left, right)
    partners: dict[Labels, list[tuple[Labels, Values]]] = {}
    for labels, column in one.items():
        partners.setdefault(_key(node, labels), []).append((labels, column))
    found: Columns = {}
    for labels, column in many.items():
        met = partners.get(_key(node, labels), [])
        _never_two([values for _, values in met])
        for other_labels, other in met:
            sides = (other, column) if node.many == "right" else (column, other)
            result = combine(node, *sides, filters="left")
            if any(value is not None for value in result):
                _merge(found, _joined(node, labels, other_labels), result)
    return found


def aggregate(node: Aggregation, columns: Columns) -> Columns:
    """Return what an aggregation yields. Raises `CannotJudge` for one that is not known here."""
    work = None if node.odd else _AGGREGATIONS.get(node.operator)
    if work is None:
        raise CannotJudge(f"{node.operator} over recorded series is not known here")
    groups: dict[Labels, list[Values]] = {}
    for labels, column in columns.items():
        kept = tuple(pair for pair in labels if (pair[0] in node.labels) == node.by)
        groups.setdefault(kept, []).append(column)
    found: Columns = {}
    for labels, members in groups.items():
        column = []
        for values in zip(*members, strict=True):
            present = [value for value in values if value is not None]
            column.append(work(present) if present else None)
        found[labels] = column
    return found


def _set(node: Operation, left: Columns, right: Columns) -> Columns:
    first, second = (right, left) if node.operator == "or" else (left, right)
    there: dict[Labels, list[Values]] = {}
    for labels, column in second.items():
        there.setdefault(_key(node, labels), []).append(column)
    wanted = node.operator == "and"
    found: Columns = {}
    for labels, column in first.items():
        others = there.get(_key(node, labels), [])
        met = [any(value is not None for value in values) for values in zip(*others, strict=True)]
        met = met or [False] * len(column)
        found[labels] = [value if seen == wanted else None for value, seen in zip(column, met, strict=True)]
    if node.operator == "or":
        for labels, column in left.items():
            _merge(found, labels, column)
    return found


def _key(node: Operation, labels: Labels) -> Labels:
    return tuple(pair for pair in labels if (pair[0] in node.matched) == node.on)


def _joined(node: Operation, many: Labels, one: Labels) -> Labels:
    if node.many is None:
        return _key(node, many)
    copied = [pair for pair in one if pair[0] in node.copied]
    return tuple(sorted([*(pair for pair in many if pair[0] not in node.copied), *copied]))


def _never_two(columns: Sequence[Values]) -> None:
    """Refuse what Prometheus refuses: two series of the one side that match the same series."""
    if len(columns) > 1 and any(
        sum(value is not None for value in values) > 1 for values in zip(*columns, strict=True)
    ):
        raise CannotJudge("a join finds two series where there may be one")


def _merge(into: Columns, labels: Labels, column: Values) -> None:
    before = into.get(labels)
    if before is None:
        into[labels] = column
        return
    _never_two([before, column])
    into[labels] = [one if one is not None else two for one, two in zip(before, column, strict=True)]
