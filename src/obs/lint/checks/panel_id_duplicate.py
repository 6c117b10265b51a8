"""Two panels with one id: links, and the edits of the one, reach the other."""

from __future__ import annotations

from collections.abc import Iterator

from obs.lint.check import Check, Finding
from obs.lint.project import Project
from obs.lint.read.grafana import Dashboard, Panel


def _run(project: Project) -> Iterator[Finding]:
    for dashboard in project.of(Dashboard):
        seen: dict[int, Panel] = {}
        for panel in dashboard.panels:
            if panel.id is None:
                continue
            twin = seen.setdefault(panel.id, panel)
            if twin is not panel:
                message = f"{panel.name} has the id {panel.id} of {twin.name}"
                yield Finding(
                    panel.value["id"].head, message, "Grafana numbers panels without an id by itself"
                )


CHECK = Check("panel-id-duplicate", "error", ("dashboard",), _run)
