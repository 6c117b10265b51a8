"""A metric that is of another type on the server than its query, or its contract, takes it for."""

from __future__ import annotations

from collections.abc import Iterator

from obs.lint.check import Check, Finding
from obs.lint.project import Project
from obs.lint.promql.nodes import Selector
from obs.lint.promql.shape import RATES

_GAUGES = frozenset({"gauge"})


def _run(project: Project) -> Iterator[Finding]:
    live = project.live
    if live is None:
        return
    for query in project.promql:
        for call in query.parsed.calls:
            if call.func in RATES and isinstance(call.args[0], Selector) and ":" not in call.args[0].name:
                name = call.args[0].name
                if live.type_of(name) in _GAUGES:
                    yield Finding(query.at(call), f"{call.func} of {name}, which the server says is a gauge")
        for selector in query.parsed.selectors:
            declared = project.contract.metrics.get(selector.name) if project.contract is not None else None
            type_ = live.type_of(selector.name)
            if declared is not None and declared.kind == "gauge" and type_ == "counter":
                yield Finding(
                    query.at(selector),
                    f"{selector.name} is a gauge by the contract and a counter on the server",
                )


CHECK = Check("live-wrong-type", "error", ("rules", "dashboard", "runbook"), _run, needs="live")
