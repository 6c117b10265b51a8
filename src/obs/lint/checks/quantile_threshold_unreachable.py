"""A quantile that is asked to exceed what its buckets can say."""

from __future__ import annotations

from collections.abc import Iterator

from obs.lint.check import Check, Finding
from obs.lint.contract import Contract
from obs.lint.project import Project
from obs.lint.promql.nodes import Call, Node
from obs.lint.promql.shape import conditions, inside, selectors


def _run(project: Project) -> Iterator[Finding]:
    contract = project.contract
    if contract is None:
        return
    for query in project.promql:
        if not query.parsed.calls or query.parsed.root is None:
            continue
        for condition in conditions(query.parsed.root):
            last = _last_bound(condition.value, contract)
            if last is None:
                continue
            if (condition.op == ">" and condition.limit >= last) or (
                condition.op == ">=" and condition.limit > last
            ):
                yield Finding(
                    query.at(condition.written),
                    f"never true: a quantile is at most its histogram's last finite bound, {last:g}",
                    "count what lies beyond the bound instead, or declare a larger bucket",
                )


def _last_bound(node: Node, contract: Contract) -> float | None:
    node = inside(node)
    if not isinstance(node, Call) or node.func != "histogram_quantile":
        return None
    metrics = [contract.metrics.get(one.name) for one in selectors(node)]
    bounds = [metric.buckets[-1] for metric in metrics if metric is not None and metric.buckets]
    return max(bounds, default=None)


CHECK = Check("quantile-threshold-unreachable", "error", ("rules", "dashboard"), _run, needs="contract")
