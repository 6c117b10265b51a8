"""Two panels of one dashboard that ask the same."""

from __future__ import annotations

from collections.abc import Iterator

from obs.lint.check import Check, Finding
from obs.lint.project import Project
from obs.lint.read.grafana import Dashboard, Panel


def _run(project: Project) -> Iterator[Finding]:
    for dashboard in project.of(Dashboard):
        namesakes: dict[tuple[str, ...], list[Panel]] = {}
        for panel in dashboard.panels:
            key = (panel.type, panel.title.strip().casefold(), panel.source.uid)
            namesakes.setdefault(key, []).append(panel)
        for panels in namesakes.values():
            if len(panels) > 1:
                yield from _judged(panels)


def _judged(namesakes: list[Panel]) -> Iterator[Finding]:
    seen: dict[tuple[str, ...], Panel] = {}
    for panel in namesakes:
        queries = tuple(" ".join(target.text.text.split()) for target in panel.targets)
        if not any(queries) or panel.value.word("repeat"):
            continue
        twin = seen.setdefault(queries, panel)
        if twin is not panel:
            hint = f"the other one is in line {twin.heading.head.place.line}"
            yield Finding(panel.heading.head, f"{panel.name} asks the same as its namesake", hint)


CHECK = Check("panel-duplicate", "warning", ("dashboard",), _run)
