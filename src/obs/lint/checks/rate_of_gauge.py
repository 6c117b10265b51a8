"""A rate of something that goes up and down."""

from __future__ import annotations

from collections.abc import Iterator

from obs.lint.check import Check, Finding
from obs.lint.project import Project
from obs.lint.promql.nodes import Selector
from obs.lint.promql.shape import RATES

_COUNTS_RESETS = RATES | {"resets"}
#: Suffixes that counters have; a native histogram has none.
_COUNTERS = ("_total", "_count", "_sum", "_bucket", "_created")
#: What ends like this is a gauge by convention.
_GAUGES = (
    "_ratio",
    "_percent",
    "_current",
    "_active",
    "_in_use",
    "_max",
    "_min",
    "_limit",
    "_info",
)


def _run(project: Project) -> Iterator[Finding]:
    contract = project.contract
    for query, call in project.calls(_COUNTS_RESETS):
        if not isinstance(call.args[0], Selector):
            continue
        name = call.args[0].name
        metric = contract.metrics.get(name) if contract is not None else None
        if metric is not None and metric.kind == "gauge":
            yield Finding(
                query.at(call),
                f"{call.func} of {name}, which is a gauge: each fall reads as a restart from zero",
                "delta or deriv tell how a gauge changes, avg_over_time what it was",
            )
        elif metric is None and _looks_like_a_gauge(name):
            yield Finding(
                query.at(call),
                f"{call.func} of {name}, which is a gauge by its name",
                "the names of counters end in _total; a contract would tell for sure",
                severity="warning",
            )


def _looks_like_a_gauge(name: str) -> bool:
    return ":" not in name and not name.endswith(_COUNTERS) and name.endswith(_GAUGES)


CHECK = Check("rate-of-gauge", "error", ("rules", "dashboard", "runbook"), _run)
