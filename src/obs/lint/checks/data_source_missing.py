"""A panel that names no data source asks whichever is the default there."""

from __future__ import annotations

from collections.abc import Iterator

from obs.lint.check import Check, Finding
from obs.lint.panels import WITHOUT_QUERY
from obs.lint.project import Project
from obs.lint.read.grafana import Dashboard, Panel


def _run(project: Project) -> Iterator[Finding]:
    for dashboard in project.of(Dashboard):
        for panel in dashboard.panels:
            if panel.type not in WITHOUT_QUERY and not panel.library and _asks_the_default(panel):
                hint = 'name one: {"type": "prometheus", "uid": "${datasource}"}'
                yield Finding(
                    panel.heading.head, f"{panel.name} asks whatever data source is the default", hint
                )


def _asks_the_default(panel: Panel) -> bool:
    return any(not target.source.uid for target in panel.targets)


CHECK = Check("data-source-missing", "info", ("dashboard",), _run)
