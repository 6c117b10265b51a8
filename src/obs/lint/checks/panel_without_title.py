"""A panel without a title: nobody can say which one they mean."""

from __future__ import annotations

from collections.abc import Iterator

from obs.lint.check import Check, Finding
from obs.lint.project import Project
from obs.lint.read.grafana import Dashboard

#: A text says itself what it is.
_TITLELESS = frozenset({"text", "row", "news", "welcome"})


def _run(project: Project) -> Iterator[Finding]:
    for dashboard in project.of(Dashboard):
        for panel in dashboard.panels:
            if not panel.title.strip() and panel.type not in _TITLELESS and not panel.library:
                yield Finding(panel.heading.head, f"a panel of type {panel.type or '?'} has no title")


CHECK = Check("panel-without-title", "warning", ("dashboard",), _run)
