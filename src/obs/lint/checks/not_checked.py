"""Says once that nobody told what signals exist."""

from __future__ import annotations

from collections.abc import Iterator

from obs.lint.check import Check, Finding
from obs.lint.project import Project


def _run(project: Project) -> Iterator[Finding]:
    if project.contract is None and project.promql:
        yield Finding(
            project.promql[0].span.source.span(),
            "not checked: whether the metrics and labels of the queries exist, for want of a contract",
            "--contract FILE, or a spec among the paths; --contract bundled is what obs itself knows",
        )


CHECK = Check("not-checked", "info", ("rules", "dashboard", "runbook"), _run)
