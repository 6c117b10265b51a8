"""The shapes of Grafana's panels, as current Grafana writes them itself (schema 41).

Plain data without the layout library: its own panel classes write shapes that current Grafana has
to repair or refuses.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from obs.generate.model import Panel, PanelThreshold, Query

Json: TypeAlias = "dict[str, Any]"

#: The variable that chooses the data source.
SOURCE: Json = {"type": "prometheus", "uid": "${datasource}"}
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def body(panel: Panel) -> Json:
    """Return what makes a panel of its kind: type, field configuration and options."""
    options, custom = _SHAPES[panel.kind]
    colour = "thresholds" if panel.kind in {"stat", "gauge"} else "palette-classic"
    defaults: Json = {
        "unit": panel.unit,
        "color": {"mode": colour},
        "mappings": [],
        "thresholds": {"mode": "absolute", "steps": _steps(panel.thresholds)},
        "custom": dict(custom),
    }
    if panel.kind == "timeseries":
        # A line to watch is drawn; without one there is nothing to draw.
        defaults["custom"]["thresholdsStyle"] = {"mode": "line" if panel.thresholds else "off"}
    if panel.kind == "gauge":
        defaults |= {"min": 0, "max": 1}
    if panel.kind == "text":
        return {"type": "text", "options": {"mode": "markdown", "content": panel.text}}
    if panel.kind == "heatmap":
        options = {**options, "yAxis": {"axisPlacement": "left", "unit": panel.unit}}
    return {
        "type": panel.kind,
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": options,
    }


def target(query: Query, panel: Panel, number: int) -> Json:
    """Return one query of a panel."""
    shape = {"heatmap": "heatmap", "table": "table"}.get(panel.kind, "time_series")
    return {
        "datasource": SOURCE,
        "editorMode": "code",
        "exemplar": query.exemplar,
        "expr": query.expr,
        "format": shape,
        "instant": query.instant,
        "legendFormat": query.legend,
        "range": not query.instant,
        "refId": _LETTERS[number],
    }


def _steps(thresholds: tuple[PanelThreshold, ...]) -> list[Json]:
    """Return the steps of a scale; the first holds from minus infinity, which JSON writes as null."""
    lines = sorted(thresholds, key=lambda line: line.value)
    steps: list[Json] = [{"color": "green", "value": None}]
    if lines and lines[0].value <= 0:
        steps = [{"color": lines[0].colour, "value": None}]
        # Zero itself begins the next colour only where there is something below it.
        lines = lines[1:]
    return steps + [{"color": line.colour, "value": float(line.value)} for line in lines]


_REDUCE: Json = {"calcs": ["lastNotNull"], "fields": "", "values": False}

#: Kind -> options, and the drawing settings of a field.
_SHAPES: dict[str, tuple[Json, Json]] = {
    "timeseries": (
        {
            "legend": {
                "calcs": ["lastNotNull", "max"],
                "displayMode": "table",
                "placement": "bottom",
                "showLegend": True,
            },
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
        {
            "axisPlacement": "auto",
            "drawStyle": "line",
            "fillOpacity": 8,
            "lineInterpolation": "linear",
            "lineWidth": 2,
            "pointSize": 4,
            "showPoints": "auto",
            "spanNulls": False,
            "stacking": {"group": "A", "mode": "none"},
        },
    ),
    "stat": (
        {
            "colorMode": "value",
            "graphMode": "area",
            "justifyMode": "auto",
            "orientation": "auto",
            "reduceOptions": _REDUCE,
            "textMode": "auto",
            "wideLayout": True,
        },
        {},
    ),
    "gauge": (
        {
            "orientation": "auto",
            "reduceOptions": _REDUCE,
            "showThresholdLabels": False,
            "showThresholdMarkers": True,
            "sizing": "auto",
        },
        {},
    ),
    "heatmap": (
        {
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
        {
            "hideFrom": {"legend": False, "tooltip": False, "viz": False},
            "scaleDistribution": {"type": "linear"},
        },
    ),
    "table": (
        {"cellHeight": "sm", "showHeader": True},
        {"align": "auto", "cellOptions": {"type": "auto"}, "inspect": False},
    ),
    "text": ({}, {}),
}
