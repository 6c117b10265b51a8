"""A panel that does not say what it shows is read by its author only."""

from __future__ import annotations

from collections.abc import Iterator

from obs.lint import customs
from obs.lint.check import Check, Finding
from obs.lint.panels import WITHOUT_QUERY
from obs.lint.project import Project
from obs.lint.read.grafana import Dashboard


def _run(project: Project) -> Iterator[Finding]:
    hint = "say what it counts and what a high or low figure means"
    for dashboard in project.of(Dashboard):
        panels = [one for one in dashboard.panels if one.type not in WITHOUT_QUERY and not one.library]
        without = [panel for panel in panels if not panel.description.strip()]
        found = [Finding(one.heading.head, f"{one.name} has no description", hint) for one in without]
        message = f"no panel of {dashboard.title!r} has a description"
        yield from customs.gathered(found, len(panels), message, f"{len(panels)} panels; {hint}")


CHECK = Check("panel-without-description", "info", ("dashboard",), _run)
