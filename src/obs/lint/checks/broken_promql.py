"""A query that Prometheus would refuse."""

from __future__ import annotations

from collections.abc import Iterator

from obs.lint.check import Check, Finding
from obs.lint.project import Project


def _run(project: Project) -> Iterator[Finding]:
    for query in project.queries:
        if query.language == "promql" and query.parsed.root is None:
            yield Finding(query.span, f"no PromQL: {query.parsed.error}")


CHECK = Check("broken-promql", "error", ("rules", "dashboard", "runbook"), _run)
