"""Panels that cover one another, or stand beyond the grid of 24 columns."""

from __future__ import annotations

from collections.abc import Iterator

from obs.lint.check import Check, Finding
from obs.lint.project import Project
from obs.lint.read.dashboards import Dashboard, Panel

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
    #: (column, line) of the grid -> who stands there.
    taken: dict[tuple[int, int], Panel] = {}
    for panel in panels:
        x, y, w, h = panel.grid or (0, 0, 0, 0)
        at = panel.value["gridPos"].head
        if w < 1 or h < 1:
            yield Finding(at, f"{panel.name} is {w} wide and {h} high, so nobody sees it")
        if x < 0 or y < 0 or x + w > COLUMNS:
            message = f"{panel.name} reaches from column {x} to {x + w}; the grid has {COLUMNS}"
            yield Finding(at, message)
            continue
        cells = [(column, line) for column in range(x, x + w) for line in range(y, y + min(h, _TALLEST))]
        other = next((taken[cell] for cell in cells if cell in taken), None)
        if other is not None:
            yield Finding(at, f"{panel.name} covers {other.name}", "Grafana pushes one of them down")
        for cell in cells:
            taken.setdefault(cell, panel)


#: Lines that are looked at: a panel of a million lines is no reason to fill the memory.
_TALLEST = 200

CHECK = Check("panel-overlap", "warning", ("dashboard",), _run)
