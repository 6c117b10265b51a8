"""An alert on less than before, which is silent when there is nothing left."""

from __future__ import annotations

from collections.abc import Iterator

from obs.catalogue.target import UP
from obs.lint.check import Check, Finding
from obs.lint.project import Project
from obs.lint.promql.nodes import Aggregate, Binary, Node, above, below
from obs.lint.promql.shape import conditions, deciding, selectors
from obs.lint.query import Query


def _run(project: Project) -> Iterator[Finding]:
    for query in project.promql:
        root = query.parsed.root
        if query.use == "alert" and root is not None and query.parsed.binaries:
            yield from _less_than_before(query, root)
            yield from _all_down(query, root)


def _less_than_before(query: Query, root: Node) -> Iterator[Finding]:
    if not any(one.offset_ms > 0 for one in query.parsed.selectors):
        return
    for part in deciding(root):
        if not isinstance(part, Binary) or part.op not in {"<", "<=", ">", ">="}:
            continue
        now, past = (part.lhs, part.rhs) if part.op in {"<", "<="} else (part.rhs, part.lhs)
        names = {one.name for one in selectors(now) if not one.offset_ms}
        if not any(one.offset_ms > 0 and one.name in names for one in selectors(past)) or _survives(now):
            continue
        yield Finding(
            query.at(part),
            "silent when the series are gone: what is less than before must be told apart from what is no more",
            "(now or 0 * past) < 0.5 * past",
        )


def _all_down(query: Query, root: Node) -> Iterator[Finding]:
    if any(call.func.startswith("absent") for call in query.parsed.calls):
        return
    for condition in conditions(root):
        value = condition.value
        is_zero = (condition.op == "==" and condition.limit == 0) or (
            condition.op == "<" and condition.limit <= 1
        )
        if not is_zero or not isinstance(value, Aggregate) or value.op not in {"sum", "avg", "max"}:
            continue
        if _survives(value) or any(
            isinstance(one, Binary) and one.op == "or" for one in above(condition.node)
        ):
            continue  # the other side is for when they are gone
        if {one.name for one in selectors(value)} == {UP.metric}:
            yield Finding(
                query.at(condition.node),
                "silent when the targets themselves are removed: no series is not a sum of 0",
                f"… or absent({UP.metric}{{…}})",
            )


def _survives(node: Node) -> bool:
    return any(isinstance(one, Binary) and one.op == "or" for one in below(node))


CHECK = Check("decrease-goes-silent", "warning", ("rules",), _run)
