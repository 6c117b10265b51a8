"""A query of a metric that nothing emits."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from obs.errors import suggest
from obs.lint.check import Check, Finding
from obs.lint.contract import Contract
from obs.lint.project import Project

#: Series that Prometheus itself writes.
_BUILT_IN = frozenset({"ALERTS", "ALERTS_FOR_STATE"})


def _run(project: Project) -> Iterator[Finding]:
    contract = project.contract
    if contract is None:
        return
    for name, uses in project.selectors.items():
        if not name or name in contract.metrics or name in _BUILT_IN:
            continue
        for query, selector in uses:
            if query.parsed.has_variables and name.startswith("var_"):
                continue
            yield Finding(query.at(selector), f"nothing is known to emit {name!r}", _nearest(name, contract))


@lru_cache(maxsize=4096)
def _nearest(name: str, contract: Contract) -> str | None:
    return suggest(name, contract.metrics)


CHECK = Check("unknown-metric", "error", ("rules", "dashboard", "runbook"), _run, needs="contract")
