"""Panels of plugins that Grafana 12 no longer runs."""

from __future__ import annotations

from collections.abc import Iterator

from obs.lint.check import Check, Finding
from obs.lint.panels import MIGRATED, REMOVED
from obs.lint.project import Project
from obs.lint.read.grafana import Dashboard


def _run(project: Project) -> Iterator[Finding]:
    for dashboard in project.of(Dashboard):
        for panel in dashboard.panels:
            instead = REMOVED.get(panel.type)
            if instead is None or panel.library:
                continue
            at = panel.value["type"].head
            hint = f"its place is taken by {instead!r}"
            if panel.type in MIGRATED:
                message = f"{panel.name}: Grafana 12 has no {panel.type!r} and replaces it when it loads the dashboard"
                yield Finding(at, message, hint, severity="info")
            else:
                message = (
                    f"{panel.name}: {panel.type!r} is written for AngularJS, which Grafana 12 no longer runs"
                )
                yield Finding(at, message, hint, severity="error")


CHECK = Check("panel-removed-plugin", "warning", ("dashboard",), _run)
