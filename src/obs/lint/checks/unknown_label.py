"""A query that asks for a label which its series do not have."""

from __future__ import annotations

from collections.abc import Iterator

from obs.errors import suggest
from obs.lint.check import Check, Finding
from obs.lint.contract import Contract
from obs.lint.project import Project
from obs.lint.promql.labels import produced
from obs.lint.promql.parse import VARIABLE
from obs.lint.query import Query

#: Prometheus and Grafana add these to ALERTS, or they stand for no label.
_ALWAYS = frozenset({"__name__"})


def _run(project: Project) -> Iterator[Finding]:
    contract = project.contract
    if contract is None:
        return
    for query in project.promql:
        yield from _matched(query, contract)
        yield from _grouped(query, contract)


def _matched(query: Query, contract: Contract) -> Iterator[Finding]:
    for selector in query.parsed.selectors:
        if selector.name not in contract.metrics:
            continue
        labels = contract.labels_of(selector.name)
        for matcher in selector.matchers:
            if matcher.label not in _ALWAYS and not labels.may_have(matcher.label):
                yield Finding(
                    query.at(selector, matcher.label),
                    f"{selector.name} has no label {matcher.label!r}",
                    suggest(matcher.label, labels.names),
                )


def _grouped(query: Query, contract: Contract) -> Iterator[Finding]:
    for aggregate in query.parsed.aggregates:
        if not aggregate.by:
            continue
        labels = produced(aggregate.expr, contract.labels_of)
        for label in aggregate.by:
            if not labels.may_have(label) and not label.startswith(VARIABLE):
                yield Finding(
                    query.at(aggregate, label),
                    f"what {aggregate.op} adds up has no label {label!r}",
                    suggest(label, labels.names),
                )


CHECK = Check("unknown-label", "error", ("rules", "dashboard", "runbook"), _run, needs="contract")
