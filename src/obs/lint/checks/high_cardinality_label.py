"""A label without an end: one series, or one alert, for each user, request or value."""

from __future__ import annotations

import re
from collections.abc import Iterator

from obs.lint.check import Check, Finding
from obs.lint.project import Project
from obs.lint.read.rules import Rule

_ENDLESS = frozenset(
    {
        "user_id", "userid", "user", "username", "email", "ip", "client_ip", "remote_addr", "remote_ip", "request_id",
        "correlation_id", "trace_id", "span_id", "session_id", "session", "order_id", "customer_id", "account_id",
        "uuid", "guid", "url", "full_path", "uri", "token", "message", "query", "sql", "user_agent", "container_id",
        "pod_uid", "timestamp",
    }
)  # fmt: skip
_VALUE = re.compile(r"\$value\b|\.Value\b|\bquery\b")


def _run(project: Project) -> Iterator[Finding]:
    endless = _ENDLESS | project.settings.unbounded
    for query in project.promql:
        if query.use not in {"alert", "record"}:
            continue
        for aggregate in query.parsed.aggregates:
            if not aggregate.by or endless.isdisjoint(aggregate.by):
                continue
            for label in aggregate.by:
                if label in endless:
                    yield Finding(
                        query.at(aggregate, label),
                        f"by ({label}): as many series as there are values, and {label} has no end",
                        "leave it to logs and traces",
                    )
    for rule in project.rules:
        yield from _templated(rule)


def _templated(rule: Rule) -> Iterator[Finding]:
    for name, entry in rule.labels.items():
        text = entry.node.scalar
        if rule.is_alert and "{{" in text and _VALUE.search(text):
            yield Finding(
                entry.node.span,
                f"label {name!r} holds the value: each evaluation makes another alert, and none lasts for its `for`",
                "values belong into annotations",
                severity="error",
            )


CHECK = Check("high-cardinality-label", "warning", ("rules",), _run)
