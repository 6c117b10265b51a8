"""A quantile of buckets whose bounds were added away."""

from __future__ import annotations

from collections.abc import Iterator

from obs.lint.check import Check, Finding
from obs.lint.problem import Edit, Fix
from obs.lint.project import Project
from obs.lint.promql.nodes import Aggregate, Call, Node
from obs.lint.promql.shape import selectors
from obs.lint.query import Query

_LE = "le"


def _run(project: Project) -> Iterator[Finding]:
    for query, call in project.calls(["histogram_quantile"]):
        found = _dropping(call.args[1]) if len(call.args) > 1 else None
        if found is not None and any(one.name.endswith("_bucket") for one in selectors(found)):
            yield Finding(
                query.at(found),
                f"histogram_quantile needs the label le, which this {found.op} drops",
                "keep it: by (…, le)",
                _fix(query, found),
            )


def _dropping(node: Node) -> Aggregate | None:
    """Return the aggregation below that loses `le`."""
    while True:
        if isinstance(node, Aggregate):
            if node.op in {"topk", "bottomk", "limitk", "limit_ratio"}:
                node = node.expr
                continue
            if node.without is not None:
                if _LE in node.without:
                    return node
            elif _LE not in (node.by or ()):
                return node
            node = node.expr
        elif isinstance(node, Call) and node.args:
            node = node.args[0]
        else:
            return None


def _fix(query: Query, node: Aggregate) -> Fix | None:
    if node.by:
        label = query.at(node, node.by[-1])
        if label.source.text[label.start : label.end] != node.by[-1]:
            return None
        return Fix("keep le", (Edit(label.end, label.end, f", {_LE}"),))
    if node.by is None and node.without is None:
        head = query.at(node)
        if head.source.text[head.start : head.end] != node.op:
            return None
        return Fix("keep le", (Edit(head.end, head.end, f" by ({_LE}) "),))
    return None


CHECK = Check("quantile-without-le", "error", ("rules", "dashboard", "runbook"), _run)
