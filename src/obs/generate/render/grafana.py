"""Dashboards as classic Grafana JSON: what file provisioning takes in every supported version.

The one door to grafanalib, which lays panels and rows out; what it writes is then pruned of the
fields of older Grafanas and sorted, so that the same dashboard is the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from grafanalib import core
from grafanalib._gen import DashboardEncoder

from obs.errors import SpecError
from obs.generate.model import Artefact, Dashboard, Panel, Row, panel_id
from obs.generate.render.grafana_panels import SOURCE, Json, body, target

FOLDER = PurePosixPath("dashboards")
#: The schema whose shapes `grafana_panels` writes; raising it alone would switch repairs off.
SCHEMA = 41

_GRID = 24
_HEIGHT = 8
_SMALL = {"stat", "gauge"}
#: What grafanalib writes for Grafanas before 8, and what is null or empty without meaning anything.
_LEGACY = {
    "__inputs", "cacheTimeout", "error", "gnetId", "height", "hideControls", "hideTimeOverride", "inputs",
    "maxPerRow", "minSpan", "repeat", "repeatDirection", "rows", "sharedCrosshair", "span", "style",
    "timeFrom", "timeShift", "transformations",
}  # fmt: skip


def render(dashboard: Dashboard) -> Artefact:
    """Return the dashboard's file. Raises `SpecError` when two panels would share an id."""
    page = core.Dashboard(
        title=dashboard.title,
        uid=dashboard.uid,
        description=dashboard.description,
        tags=sorted(dashboard.tags),
        editable=False,
        graphTooltip=core.GRAPH_TOOLTIP_MODE_SHARED_CROSSHAIR,
        links=[_link(title, url) for title, url in dashboard.links],
        annotations=core.Annotations(list=list(_annotations(dashboard))),
        templating=core.Templating(list=list(_variables(dashboard))),
        panels=list(_panels(dashboard)),
        refresh="30s",
        schemaVersion=SCHEMA,
        time=core.Time("now-1h", "now"),
        timezone="browser",
    )
    data = json.loads(json.dumps(page.to_json_data(), cls=DashboardEncoder))
    del data["version"]  # Grafana counts versions itself
    data["panels"] = [_tidy(panel) for panel in data["panels"]]
    text = json.dumps(_prune(data), indent=2, sort_keys=True, ensure_ascii=False)
    return Artefact(FOLDER / f"{dashboard.service}.json", text + "\n")


# The library is untyped, so its classes are Any to the checker.
class _Drawn(core.Panel):  # type: ignore[misc]
    """A panel whose shape is ours (`extraJson`) and whose place on the grid is the library's."""

    def to_json_data(self) -> Json:
        drawn: Json = self.panel_json({})
        return drawn


def _panels(dashboard: Dashboard) -> Iterator[core.Panel]:
    taken: dict[int, str] = {}
    top = 0
    for row in dashboard.rows:
        yield core.RowPanel(
            id=_id(f"row-{row.title}", taken),
            title=row.title,
            gridPos=core.GridPos(h=1, w=_GRID, x=0, y=top),
        )
        top += 1
        for panel, place in _places(row, top):
            top = max(top, place.y + place.h)
            yield _Drawn(
                id=_id(panel.key, taken),
                title=panel.title,
                description=panel.description,
                dataSource=SOURCE if panel.queries else None,
                targets=[target(query, panel, number) for number, query in enumerate(panel.queries)],
                # The shortest step that makes sense, from which Grafana derives $__rate_interval.
                interval=str(dashboard.interval),
                links=[{"title": title, "url": url, "targetBlank": True} for title, url in panel.links],
                gridPos=place,
                maxDataPoints=None,
                extraJson=body(panel),
            )


def _places(row: Row, top: int) -> Iterator[tuple[Panel, core.GridPos]]:
    """Lay a row's panels from left to right, and begin a new line where one does not fit."""
    left = 0
    for panel in row.panels:
        width = _width(panel, row)
        if left + width > _GRID:
            left, top = 0, top + _HEIGHT
        yield panel, core.GridPos(h=_HEIGHT, w=width, x=left, y=top)
        left += width


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


def _variables(dashboard: Dashboard) -> Iterator[Json]:
    yield {
        "name": "datasource",
        "label": "Data source",
        "type": "datasource",
        "query": "prometheus",
        "refresh": 1,
        "hide": 0,
        "includeAll": False,
        "multi": False,
        "options": [],
        "regex": "",
    }
    picked = ""
    for name, label in (("environment", "Environment"), ("instance", "Instance")):
        targets = dashboard.targets[:-1] + picked + "}"
        query = f"label_values({targets}, {name})"
        yield {
            "name": name,
            "label": label,
            "type": "query",
            "datasource": SOURCE,
            "definition": query,
            "query": {"query": query, "refId": "Variable"},
            # On a change of the time range too: instances come and go.
            "refresh": 2,
            "sort": 1,
            "hide": 0,
            "includeAll": True,
            # A panel must not go empty when "All" finds no value.
            "allValue": ".*",
            "multi": True,
            "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
            "options": [],
            "regex": "",
        }
        picked = f', {name}=~"${name}"'


def _annotations(dashboard: Dashboard) -> Iterator[Json]:
    if dashboard.firing:
        yield {
            "name": "Firing alerts",
            "datasource": SOURCE,
            "enable": True,
            "hide": False,
            "iconColor": "red",
            "expr": dashboard.firing,
            "step": "60s",
            "titleFormat": "{{alertname}}",
            "textFormat": "{{instance}}",
            "tagKeys": "severity",
            "useValueForTime": False,
        }


def _link(title: str, url: str) -> Json:
    return {
        "title": title,
        "url": url,
        "type": "link",
        "icon": "doc",
        "tags": [],
        "asDropdown": False,
        "includeVars": False,
        "keepTime": False,
        "targetBlank": True,
        "tooltip": "",
    }


def _tidy(panel: Json) -> Json:
    """Drop what a panel of its kind has no use for."""
    if panel["type"] == "row":
        return {key: panel[key] for key in ("collapsed", "gridPos", "id", "panels", "title", "type")}
    # Edits are for the dashboard to allow, and opaque is what panels are anyway.
    useless = {"editable", "transparent"} | ({"fieldConfig"} if panel["type"] == "text" else set())
    return {key: value for key, value in panel.items() if key not in useless}


def _prune(value: Any) -> Any:
    """Drop nulls and the fields of older Grafanas; only a threshold's null means something."""
    if isinstance(value, list):
        return [_prune(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    is_step = set(value) == {"color", "value"}
    return {
        key: _prune(inner)
        for key, inner in value.items()
        if key not in _LEGACY and (inner is not None or is_step)
    }
