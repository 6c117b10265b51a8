"""A ratio that is asked to exceed 1: a burn rate times its budget, or percent taken for a share."""

from __future__ import annotations

import re
from collections.abc import Iterator

from obs.lint.check import Check, Finding
from obs.lint.project import Project
from obs.lint.promql.nodes import Binary, Node, Selector
from obs.lint.promql.shape import Condition, conditions, inside, part_of_whole

#: Recorded shares, by the convention level:metric:operation and as sloth names them.
_SHARE = re.compile(r"(?:^|[:_])(?:error|errors|bad|failure|failures)[:_](?:\w*[:_])?ratio(?:_|\b|$)")


def _run(project: Project) -> Iterator[Finding]:
    for query in project.promql:
        root = query.parsed.root
        if root is None or not query.parsed.binaries:
            continue
        for condition in conditions(root):
            if _is_more_than_all(condition) and _is_share(condition.value):
                yield Finding(
                    query.at(
                        condition.written if not isinstance(condition.written, Binary) else condition.node
                    ),
                    f"never true: a share of bad events is at most 1, and this is {condition.limit:g}",
                    _hint(condition.limit),
                )


def _is_more_than_all(condition: Condition) -> bool:
    if condition.op == ">":
        return condition.limit >= 1
    return condition.op in {">=", "=="} and condition.limit > 1


def _is_share(node: Node) -> bool:
    node = inside(node)
    if isinstance(node, Selector):
        return bool(_SHARE.search(node.name))
    return part_of_whole(node) is not None


def _hint(limit: float) -> str:
    if 1 < limit <= 100:
        return f"{limit:g} % is {limit / 100:g}; a burn rate times (1 - objective) must stay below 1"
    return "a burn rate times (1 - objective) must stay below 1: with 14.4, an objective above 93.06 %"


CHECK = Check("threshold-impossible", "error", ("rules", "dashboard"), _run)
