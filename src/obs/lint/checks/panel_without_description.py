"""A panel that does not say what it shows is read by its author only."""

from __future__ import annotations

from collections.abc import Iterator

from obs.lint.check import Check, Finding
from obs.lint.panels import WITHOUT_QUERY
from obs.lint.project import Project
from obs.lint.read.grafana import Dashboard


def _run(project: Project) -> Iterator[Finding]:
    for dashboard in project.of(Dashboard):
        for panel in dashboard.panels:
            if panel.type not in WITHOUT_QUERY and not panel.library and not panel.description.strip():
                hint = "say what it counts and what a high or low figure means"
                yield Finding(panel.heading.head, f"{panel.name} has no description", hint)


CHECK = Check("panel-without-description", "info", ("dashboard",), _run)
