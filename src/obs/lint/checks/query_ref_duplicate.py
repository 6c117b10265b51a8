"""Two queries of one panel under one letter: Grafana shows the result of one."""

from __future__ import annotations

from collections.abc import Iterator

from obs.lint.check import Check, Finding
from obs.lint.project import Project
from obs.lint.read.grafana import Dashboard


def _run(project: Project) -> Iterator[Finding]:
    for dashboard in project.of(Dashboard):
        for panel in dashboard.panels:
            seen: set[str] = set()
            for target in panel.targets:
                if target.ref and target.ref in seen:
                    message = f"{panel.name} has two queries called {target.ref!r}"
                    yield Finding(target.value["refId"].head, message, "give each a letter of its own")
                seen.add(target.ref)


CHECK = Check("query-ref-duplicate", "error", ("dashboard",), _run)
