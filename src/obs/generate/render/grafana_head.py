"""The head of a dashboard: what its reader chooses, what is marked on every graph, where it leads."""

from __future__ import annotations

from typing import Any, TypeAlias

from obs.generate.model import Annotation, Dashboard, Variable
from obs.generate.render.grafana_queries import SOURCES

Json: TypeAlias = "dict[str, Any]"

#: Every dashboard of ours has it, and the menu at the head of each lists what has it.
TAG = "obs"


#: Marks that people set by hand; Grafana would add it to a dashboard that lacks it.
_BY_HAND: Json = {
    "builtIn": 1,
    "datasource": {"type": "grafana", "uid": "-- Grafana --"},
    "enable": True,
    "hide": True,
    "iconColor": "rgba(0, 211, 255, 1)",
    "name": "Annotations & Alerts",
    "type": "dashboard",
}


def marks(dashboard: Dashboard) -> list[Json]:
    """Return every kind of mark of the dashboard."""
    return [_BY_HAND, *(annotation(mark) for mark in dashboard.annotations)]


def variable(choice: Variable) -> Json:
    """Return one variable; "All" always stands for an expression, never for a list that may be empty."""
    common: Json = {"hide": 0, "label": choice.label, "name": choice.name, "type": choice.kind}
    if choice.kind == "datasource":
        return {
            **common,
            "includeAll": False,
            "multi": False,
            "options": [],
            "query": choice.query,
            "refresh": 1,
            "regex": "",
        }
    if choice.kind == "textbox":
        value = {"selected": True, "text": choice.query, "value": choice.query}
        return {**common, "current": value, "options": [value], "query": choice.query}
    return {
        **common,
        "allValue": choice.all_value,
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
        "datasource": SOURCES["prometheus"],
        "definition": choice.query,
        "includeAll": True,
        "multi": True,
        "options": [],
        # 1 means values of a label, in the numbering of Grafana's editor for it.
        "query": {
            "qryType": 1,
            "query": choice.query,
            "refId": "PrometheusVariableQueryEditor-VariableQuery",
        },
        # On a change of the time range too: instances come and go.
        "refresh": 2,
        "regex": "",
        "sort": 1,
    }


def annotation(mark: Annotation) -> Json:
    """Return one kind of mark, asked of Prometheus.

    Grafana 11 reads the query in one place and step and titles in the other; 12 and 13 read both.
    """
    return {
        "datasource": SOURCES["prometheus"],
        "enable": True,
        "expr": mark.expr,
        "hide": False,
        "iconColor": mark.colour,
        "name": mark.name,
        "step": "60s",
        "tagKeys": mark.tags,
        "target": {"expr": mark.expr, "interval": "60s", "refId": "Anno"},
        "textFormat": mark.text,
        "titleFormat": mark.title,
        "useValueForTime": False,
    }


def links(dashboard: Dashboard) -> list[Json]:
    """Return the links at the head: those of the dashboard, and the menu of all the others."""
    common: Json = {"includeVars": False, "keepTime": False, "tags": [], "tooltip": "", "url": ""}
    own: list[Json] = [
        {
            **common,
            "asDropdown": False,
            "icon": "doc",
            "targetBlank": True,
            "title": title,
            "type": "link",
            "url": url,
        }
        for title, url in dashboard.links
    ]
    menu: Json = {
        **common,
        "asDropdown": True,
        "icon": "external link",
        "includeVars": True,
        "keepTime": True,
        "tags": [TAG],
        "targetBlank": False,
        "title": "Dashboards",
        "type": "dashboards",
    }
    return [*own, menu]
