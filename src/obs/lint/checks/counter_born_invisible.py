"""An alert on a single event that does not see the first one."""

from __future__ import annotations

from collections.abc import Iterator

from obs.lint.check import Check, Finding
from obs.lint.project import Project
from obs.lint.promql.nodes import Binary, Selector, above
from obs.lint.promql.shape import conditions, rated, selectors


def _run(project: Project) -> Iterator[Finding]:
    declared = project.contract.metrics if project.contract is not None else {}
    for query in project.promql:
        root = query.parsed.root
        if query.use != "alert" or root is None:
            continue
        for condition in conditions(root):
            counter = rated(condition.value)
            one_event = (condition.op, condition.limit) in {(">", 0.0), (">=", 1.0)}
            if counter is None or not one_event or _is_guarded(query.parsed.binaries, counter):
                continue
            if any(isinstance(one, Binary) and one.op == "and" for one in above(condition.node)):
                continue  # it narrows another condition down
            yield Finding(
                query.at(condition.value),
                f"the first event of {counter.name} is not seen: a counter born at 1 has no increase",
                "… or ((x unless x offset 5m) > 0), or have the counter emitted at 0 from the start",
                # Whoever emits it may well begin at 0: only of declared ones it is known that labels come late.
                severity=None if counter.name in declared else "info",
            )


def _is_guarded(binaries: list[Binary], counter: Selector) -> bool:
    """Tell whether the query also asks for series that were not there before."""
    return any(
        node.op == "unless" and counter.name in {one.name for one in selectors(node.lhs)} for node in binaries
    )


CHECK = Check("counter-born-invisible", "warning", ("rules",), _run)
