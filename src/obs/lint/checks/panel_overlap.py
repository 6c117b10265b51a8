"""Panels that cover one another, or stand beyond the grid of 24 columns."""

from __future__ import annotations

from collections.abc import Iterator

from obs.lint.check import Check, Finding
from obs.lint.project import Project
from obs.lint.read.grafana import Dashboard, Panel

COLUMNS = 24


def _run(project: Project) -> Iterator[Finding]:
    for dashboard in project.of(Dashboard):
        # Inside a collapsed row panels keep places that are used only when it is opened.
        layers: dict[str, list[Panel]] = {}
        for panel in dashboard.panels:
            if panel.grid is not None:
                layers.setdefault(panel.folded, []).append(panel)
        for panels in layers.values():
            yield from _judged(panels)


def _judged(panels: list[Panel]) -> Iterator[Finding]:
    placed: list[tuple[tuple[int, int, int, int], Panel]] = []
    for panel in panels[:_MOST]:
        x, y, w, h = panel.grid or (0, 0, 0, 0)
        if panel.type == "row":
            # Grafana draws one over the whole width and moves what is below it.
            x, w, h = 0, COLUMNS, 1
        if (w < 1 or h < 1) and panel.type != "row":
            message = f"{panel.name} is {w} wide and {h} high, so nobody sees it"
            yield Finding(panel.value["gridPos"].head, message)
        if x < 0 or y < 0 or x + w > COLUMNS:
            message = f"{panel.name} reaches from column {x} to {x + w}; the grid has {COLUMNS}"
            yield Finding(panel.value["gridPos"].head, message)
            continue
        for (left, top, right, bottom), other in placed:
            if x < right and left < x + w and y < bottom and top < y + h:
                message, hint = f"{panel.name} covers {other.name}", "Grafana pushes one of them down"
                yield Finding(panel.value["gridPos"].head, message, hint, severity="info")
                break
        placed.append(((x, y, x + w, y + h), panel))


#: Each is compared with each: ten thousand panels are no dashboard.
_MOST = 2000

CHECK = Check("panel-overlap", "warning", ("dashboard",), _run)
