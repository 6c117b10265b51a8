"""Two panels of one dashboard that ask the same."""

from __future__ import annotations

from collections.abc import Iterator

from obs.lint.check import Check, Finding
from obs.lint.project import Project
from obs.lint.read.grafana import Dashboard, Panel


def _run(project: Project) -> Iterator[Finding]:
    for dashboard in project.of(Dashboard):
        seen: dict[tuple[object, ...], Panel] = {}
        for panel in dashboard.panels:
            queries = tuple(" ".join(target.text.text.split()) for target in panel.targets)
            if not any(queries) or panel.value["repeat"].text:
                continue
            key = (panel.type, panel.title.strip().casefold(), panel.source.uid, queries)
            twin = seen.setdefault(key, panel)
            if twin is not panel:
                hint = f"the other one is in line {twin.heading.head.place.line}"
                yield Finding(panel.heading.head, f"{panel.name} asks the same as its namesake", hint)


CHECK = Check("panel-duplicate", "warning", ("dashboard",), _run)
