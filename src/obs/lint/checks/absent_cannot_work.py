"""A question about absence that can never be answered with yes."""

from __future__ import annotations

from collections.abc import Iterator

from obs.lint.check import Check, Finding
from obs.lint.project import Project
from obs.lint.promql.labels import is_scalar
from obs.lint.promql.nodes import Aggregate, Binary, Call, Node
from obs.lint.promql.shape import Condition, conditions, deciding
from obs.lint.query import Query

_ABSENT = frozenset({"absent", "absent_over_time"})


def _run(project: Project) -> Iterator[Finding]:
    for query, call in project.calls(_ABSENT):
        if call.args and _always_there(call.args[0]):
            message = f"{call.func} of something that is always there is never true"
            yield Finding(query.at(call), message, "drop the `or`")
    for query in project.promql:
        for condition in conditions(query.parsed.root) if query.parsed.root is not None else ():
            if isinstance(condition.value, Call | Aggregate):
                yield from _compared(query, condition)


def _compared(query: Query, condition: Condition) -> Iterator[Finding]:
    value, limit, op = condition.value, condition.limit, condition.op
    if isinstance(value, Call) and value.func in _ABSENT and not _holds(1.0, op, limit):
        yield Finding(
            query.at(condition.written), f"{value.func} is 1 or nothing: never {op} {limit:g}", "== 1"
        )
    if isinstance(value, Aggregate) and value.op in {"count", "group"}:
        impossible = (op == "==" and limit < 1) or (op == "<" and limit <= 1) or (op == "<=" and limit < 1)
        if impossible and not any(_always_there(part) for part in deciding(value.expr)):
            yield Finding(
                query.at(condition.written),
                f"{value.op} of no series is nothing, not 0: never {op} {limit:g}",
                "absent(…) is true when there is none; (count(…) or vector(0)) counts down to 0",
            )


def _always_there(node: Node) -> bool:
    """Tell whether `node` has a result whatever the series are."""
    if isinstance(node, Binary):
        if node.op == "or":
            return _always_there(node.lhs) or _always_there(node.rhs)
        return is_scalar(node)
    if isinstance(node, Call):
        return node.func == "vector" or is_scalar(node)
    return isinstance(node, Aggregate) and _always_there(node.expr)


def _holds(value: float, op: str, limit: float) -> bool:
    return {
        ">": value > limit,
        "<": value < limit,
        ">=": value >= limit,
        "<=": value <= limit,
        "==": value == limit,
        "!=": value != limit,
    }[op]


CHECK = Check("absent-cannot-work", "error", ("rules", "dashboard"), _run)
