"""A query that asks for a label which its series do not have."""

from __future__ import annotations

from collections.abc import Iterator

from obs.errors import suggest
from obs.lint.check import Check, Finding
from obs.lint.project import Project
from obs.lint.promql.labels import ANY, Producer
from obs.lint.promql.nodes import Selector
from obs.lint.promql.parse import VARIABLE
from obs.lint.query import Query

#: Prometheus and Grafana add these to ALERTS, or they stand for no label.
_ALWAYS = frozenset({"__name__"})


def _run(project: Project) -> Iterator[Finding]:
    contract = project.contract
    if contract is None:
        return
    for name, uses in project.selectors.items():
        if name in contract.metrics and not (labels := contract.labels_of(name)).is_open:
            yield from _matched(name, uses, labels.names)
    for query in project.promql:
        yield from _grouped(query, project.produced)


def _matched(name: str, uses: list[tuple[Query, Selector]], labels: frozenset[str]) -> Iterator[Finding]:
    known = labels | _ALWAYS
    for query, selector in uses:
        for matcher in selector.matchers:
            if matcher.label not in known:
                message = f"{name} has no label {matcher.label!r}"
                yield Finding(query.at(selector, matcher.label), message, suggest(matcher.label, labels))


def _grouped(query: Query, produced: Producer) -> Iterator[Finding]:
    for aggregate in query.parsed.aggregates:
        labels = produced(aggregate.expr) if aggregate.by else ANY
        if labels.is_open or labels.names.issuperset(aggregate.by or ()):
            continue
        for label in aggregate.by or ():
            if not labels.may_have(label) and not label.startswith(VARIABLE):
                yield Finding(
                    query.at(aggregate, label),
                    f"what {aggregate.op} adds up has no label {label!r}",
                    suggest(label, labels.names),
                )


CHECK = Check("unknown-label", "error", ("rules", "dashboard", "runbook"), _run, needs="contract")
