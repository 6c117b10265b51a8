"""The shapes of Grafana's panels, as current Grafana writes them itself (schema 42).

Plain data without the layout library: its own panel classes write shapes that current Grafana has
to repair or refuses. What never changes is shared between panels, for it is only ever read.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from obs.generate.model import Panel
from obs.generate.render.grafana_queries import source_of, target
from obs.generate.render.grafana_scales import steps
from obs.generate.render.grafana_tables import overrides, transformations

Json: TypeAlias = "dict[str, Any]"

#: Tells each panel that its options need none of its own repairs: Grafana 11 wrote them like this.
WRITTEN_AS = "11.0.0"


def draw(panel: Panel, number: int, place: Any, interval: str) -> Json:
    """Return the panel; `place` is its place on the grid, `interval` the shortest step of its queries."""
    drawn: Json = {
        "description": panel.description,
        "gridPos": place,
        "id": number,
        "links": [_link(title, url) for title, url in panel.links],
        "pluginVersion": WRITTEN_AS,
        "targets": [target(query, panel.kind, index) for index, query in enumerate(panel.queries)],
        "title": panel.title,
        "type": panel.kind,
    }
    if panel.kind == "text":
        drawn["options"] = {"content": panel.text, "mode": "markdown"}
        return drawn
    drawn["datasource"] = source_of(panel.queries)
    if any(query.source == "prometheus" for query in panel.queries):
        # The shortest step that makes sense, from which Grafana derives $__rate_interval.
        drawn["interval"] = interval
    drawn["fieldConfig"] = {"defaults": _defaults(panel), "overrides": overrides(panel)}
    drawn["options"] = _options(panel)
    changes = transformations(panel)
    if changes:
        drawn["transformations"] = changes
    return drawn


def _link(title: str, url: str) -> Json:
    return {"targetBlank": True, "title": title, "url": url}


def _defaults(panel: Panel) -> Json:
    if panel.kind == "logs":
        return {}
    defaults: Json = {
        "color": _BY_SCALE if panel.kind in {"stat", "gauge", "table"} else _BY_CURVE,
        "custom": _custom(panel),
        "mappings": [],
        "thresholds": {"mode": "absolute", "steps": steps(panel.thresholds)},
        "unit": panel.unit,
    }
    if panel.kind == "gauge":
        defaults |= {"max": 1, "min": 0}
    if panel.data_links:
        defaults["links"] = [_link(title, url) for title, url in panel.data_links]
    return defaults


def _custom(panel: Panel) -> Json:
    if panel.kind != "timeseries":
        return _DRAWN.get(panel.kind, {})
    # A line to watch is drawn; without one there is nothing to draw.
    return _WATCHED if panel.thresholds else _UNWATCHED


def _options(panel: Panel) -> Json:
    if panel.kind == "heatmap":
        return {**_OPTIONS["heatmap"], "yAxis": {"axisPlacement": "left", "unit": panel.unit}}
    if panel.kind == "table" and panel.sort:
        by = {"desc": panel.sort.startswith("-"), "displayName": panel.sort.removeprefix("-")}
        return {**_OPTIONS["table"], "sortBy": [by]}
    return _OPTIONS[panel.kind]


_BY_SCALE: Json = {"mode": "thresholds"}
_BY_CURVE: Json = {"mode": "palette-classic"}
_REDUCE: Json = {"calcs": ["lastNotNull"], "fields": "", "values": False}

#: Kind -> options.
_OPTIONS: dict[str, Json] = {
    "timeseries": {
        "legend": {
            "calcs": ["lastNotNull", "max"],
            "displayMode": "table",
            "placement": "bottom",
            "showLegend": True,
        },
        "tooltip": {"mode": "multi", "sort": "desc"},
    },
    "stat": {
        "colorMode": "value",
        "graphMode": "area",
        "justifyMode": "auto",
        "orientation": "auto",
        "reduceOptions": _REDUCE,
        "showPercentChange": False,
        "textMode": "auto",
        "wideLayout": True,
    },
    "gauge": {
        "orientation": "auto",
        "reduceOptions": _REDUCE,
        "showThresholdLabels": False,
        "showThresholdMarkers": True,
        "sizing": "auto",
    },
    "heatmap": {
        "calculate": False,
        "cellGap": 1,
        "color": {
            "exponent": 0.5,
            "fill": "dark-orange",
            "mode": "scheme",
            "scheme": "Oranges",
            "steps": 64,
        },
        "exemplars": {"color": "rgba(255,0,255,0.7)"},
        "filterValues": {"le": 1e-9},
        "legend": {"show": True},
        "rowsFrame": {"layout": "auto"},
        "tooltip": {"mode": "single", "yHistogram": False},
    },
    "table": {"cellHeight": "sm", "showHeader": True},
    "logs": {
        "dedupStrategy": "none",
        "enableLogDetails": True,
        "prettifyLogMessage": False,
        "showCommonLabels": False,
        "showLabels": False,
        "showTime": True,
        "sortOrder": "Descending",
        "wrapLogMessage": True,
    },
}

#: Kind -> how its fields are drawn.
_DRAWN: dict[str, Json] = {
    "heatmap": {
        "hideFrom": {"legend": False, "tooltip": False, "viz": False},
        "scaleDistribution": {"type": "linear"},
    },
    "table": {"align": "auto", "cellOptions": {"type": "auto"}, "inspect": False},
}
_UNWATCHED: Json = {
    "axisPlacement": "auto",
    "drawStyle": "line",
    "fillOpacity": 8,
    "lineInterpolation": "linear",
    "lineWidth": 2,
    "pointSize": 4,
    "showPoints": "auto",
    "spanNulls": False,
    "stacking": {"group": "A", "mode": "none"},
    "thresholdsStyle": {"mode": "off"},
}
_WATCHED: Json = {**_UNWATCHED, "thresholdsStyle": {"mode": "line"}}
