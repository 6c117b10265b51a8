"""A panel that asks nothing shows nothing."""

from __future__ import annotations

from collections.abc import Iterator

from obs.lint.check import Check, Finding
from obs.lint.panels import WITHOUT_QUERY
from obs.lint.project import Project
from obs.lint.read.grafana import Dashboard, Panel, Target


def _run(project: Project) -> Iterator[Finding]:
    for dashboard in project.of(Dashboard):
        ids = {panel.id for panel in dashboard.panels}
        for panel in dashboard.panels:
            if panel.type in WITHOUT_QUERY or panel.library or not panel.type or _is_annotations(panel):
                continue
            finding = _judged(panel, ids)
            if finding is not None:
                yield finding


def _judged(panel: Panel, ids: set[int | None]) -> Finding | None:
    if not panel.targets:
        return Finding(panel.heading.head, f"{panel.name} has no query")
    if all(target.hidden for target in panel.targets):
        return Finding(panel.heading.head, f"{panel.name} hides every query that it has")
    for target in panel.targets:
        other = target.value["panelId"].number
        if target.source.uid == "-- Dashboard --" and other is not None and int(other) not in ids:
            at = target.value["panelId"].head
            return Finding(at, f"{panel.name} shows the result of panel {int(other)}, which does not exist")
        if _is_empty(target):
            hint = "write the query, or delete the empty one"
            return Finding(target.text.head, f"{panel.name}: query {target.ref or '?'} is empty", hint)
    return None


def _is_empty(target: Target) -> bool:
    """Tell whether the text of a query is missing; other data sources keep theirs under other keys."""
    written = target.text
    in_language = target.declared and target.language != ""
    return not written.text.strip() and not target.hidden and (in_language or "expr" in target.value)


def _is_annotations(panel: Panel) -> bool:
    return panel.source.built_in and panel.source.uid in {"grafana", "-- Grafana --"}


CHECK = Check("panel-without-query", "error", ("dashboard",), _run)
