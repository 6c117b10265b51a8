"""A ratio that is only looked at where there is much traffic."""

from __future__ import annotations

from collections.abc import Iterator

from obs.lint.check import Check, Finding
from obs.lint.project import Project
from obs.lint.promql.nodes import COMPARISONS, Binary, Node, Selector, below
from obs.lint.promql.shape import Condition, conditions, constant, deciding, rated

_MESSAGE = "a floor on all events hides a small service that fails every one of them"
_HINT = "floor the bad ones: and increase(…bad…[1h]) >= 3"


def _run(project: Project) -> Iterator[Finding]:
    for query in project.promql:
        root = query.parsed.root
        if query.use != "alert" or root is None or not query.parsed.binaries:
            continue
        for total, place in _ratios(root):
            if place is not None:
                yield Finding(query.at(place), _MESSAGE, _HINT)
            for condition in _floors(root):
                floored = rated(condition.value)
                if floored is not None and _is_total(floored, total):
                    yield Finding(query.at(condition.written), _MESSAGE, _HINT)


def _ratios(root: Node) -> Iterator[tuple[Selector, Node | None]]:
    """Yield (total, the floor within the division, if any) of each ratio of bad to all."""
    for part in deciding(root):
        for node in below(part):
            if not isinstance(node, Binary) or node.op != "/":
                continue
            whole, floor = node.rhs, None
            if isinstance(whole, Binary) and whole.op in COMPARISONS:
                limit = constant(whole.rhs)
                floor = whole.rhs if limit and limit > 0 and whole.op in {">", ">="} else None
                whole = whole.lhs
            bad, total = rated(node.lhs), rated(whole)
            if bad is not None and total is not None and len(bad.matchers) >= len(total.matchers):
                yield total, floor


def _floors(root: Node) -> Iterator[Condition]:
    return (one for one in conditions(root) if one.op in {">", ">="} and one.limit > 0)


def _is_total(floored: Selector, total: Selector) -> bool:
    return floored.name == total.name and set(floored.matchers) <= set(total.matchers)


CHECK = Check("floor-on-total", "warning", ("rules",), _run)
