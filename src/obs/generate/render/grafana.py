"""Dashboards as classic Grafana JSON: what file provisioning takes in every supported version.

The one door to grafanalib, which lays dashboards, rows and the grid out; of what it writes only the
fields that current Grafana knows are kept. Grafana is provisioned with one folder a directory.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from grafanalib import core

from obs.errors import SpecError
from obs.generate.model import Artefact, Dashboard, Panel, Row, panel_id
from obs.generate.render.grafana_head import links, marks, variable
from obs.generate.render.grafana_panels import draw
from obs.generate.render.json_writer import dump

FOLDER = PurePosixPath("dashboards")
#: The schema whose shapes `grafana_panels` writes; raising it alone would switch repairs off.
SCHEMA = 42

_GRID = 24
_SMALL = {"stat", "gauge"}
#: What is kept of the library's dashboard; the rest is of Grafanas before 8, or null.
_HEAD = (
    "annotations", "description", "editable", "graphTooltip", "links", "panels", "refresh", "schemaVersion",
    "tags", "templating", "time", "timezone", "title", "uid",
)  # fmt: skip
_ROW = ("collapsed", "gridPos", "id", "panels", "title", "type")


def render(dashboard: Dashboard) -> Artefact:
    """Return the dashboard's file. Raises `SpecError` when two panels would share an id."""
    page = core.Dashboard(
        title=dashboard.title,
        uid=dashboard.uid,
        description=dashboard.description,
        tags=sorted(dashboard.tags),
        editable=False,
        graphTooltip=core.GRAPH_TOOLTIP_MODE_SHARED_CROSSHAIR,
        links=links(dashboard),
        annotations=core.Annotations(list=marks(dashboard)),
        templating=core.Templating(list=[variable(choice) for choice in dashboard.variables]),
        panels=list(_panels(dashboard)),
        refresh="30s",
        schemaVersion=SCHEMA,
        time=core.Time(f"now-{dashboard.span}", "now"),
        timezone="browser",
    )
    data = page.to_json_data()
    text = dump({key: data[key] for key in _HEAD}, _plain)
    return Artefact(FOLDER / dashboard.folder / f"{dashboard.name}.json", text)


def _plain(value: Any) -> Any:
    """Return what the library's own objects write."""
    return value.to_json_data()


def _panels(dashboard: Dashboard) -> Iterator[dict[str, Any]]:
    taken: dict[int, str] = {}
    interval = str(dashboard.interval)
    top = 0
    for row in dashboard.rows:
        head = core.RowPanel(
            id=_id(f"row-{row.title}", taken),
            title=row.title,
            gridPos=core.GridPos(h=1, w=_GRID, x=0, y=top),
        ).to_json_data()
        yield {key: head[key] for key in _ROW}
        top += 1
        for panel, place in _places(row, top):
            top = max(top, place.y + place.h)
            yield draw(panel, _id(panel.key, taken), place, interval)


def _places(row: Row, top: int) -> Iterator[tuple[Panel, core.GridPos]]:
    """Lay a row's panels from left to right, and begin a new line where one does not fit."""
    left = highest = 0
    for panel in row.panels:
        width = panel.width or _width(panel, row)
        if left + width > _GRID:
            left, top, highest = 0, top + highest, 0
        yield panel, core.GridPos(h=panel.height, w=width, x=left, y=top)
        left += width
        highest = max(highest, panel.height)


def _width(panel: Panel, row: Row) -> int:
    if any(other.kind in _SMALL for other in row.panels):
        return 4 if panel.kind in _SMALL else 8
    return _GRID // len(row.panels) if len(row.panels) <= 4 else 8


def _id(key: str, taken: dict[int, str]) -> int:
    """Return the panel's stable id, which alerts link to."""
    number = panel_id(key)
    if number in taken:
        reason = "appear twice" if taken[number] == key else f"and {taken[number]!r} have the same id"
        raise SpecError(f"panel {key!r}: keys {reason}", hint="give the panel another key")
    taken[number] = key
    return number
