"""A query that chooses metrics by a pattern."""

from __future__ import annotations

from collections.abc import Iterator

from obs.lint.check import Check, Finding
from obs.lint.project import Project


def _run(project: Project) -> Iterator[Finding]:
    for query in project.promql:
        if query.use == "variable":
            continue
        for selector in query.parsed.selectors:
            if any(
                matcher.label == "__name__" and matcher.op in {"=~", "!~", "!="}
                for matcher in selector.matchers
            ):
                yield Finding(
                    query.at(selector, "__name__"),
                    "metrics chosen by a pattern: functions drop the name, and two that match then collide at run time",
                    "write each name, joined by `or`",
                )


CHECK = Check("regexp-on-name", "warning", ("rules", "dashboard", "runbook"), _run)
