"""Queries of panels, and the sources that they go to: every source is chosen by a variable."""

from __future__ import annotations

from typing import Any, TypeAlias

from obs.generate.model import PanelKind, Query, Source

Json: TypeAlias = "dict[str, Any]"

#: Source -> the variable of the dashboard that chooses it.
SOURCES: dict[Source, Json] = {
    "prometheus": {"type": "prometheus", "uid": "${datasource}"},
    "loki": {"type": "loki", "uid": "${loki}"},
    "tempo": {"type": "tempo", "uid": "${tempo}"},
}
_MIXED: Json = {"type": "datasource", "uid": "-- Mixed --"}
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#: A page of a log, and what a list of traces holds: more belongs into Explore.
_MOST_LINES, _MOST_TRACES = 200, 20


def source_of(queries: tuple[Query, ...]) -> Json:
    """Return the source of a panel with these queries."""
    found = {query.source for query in queries}
    return SOURCES[found.pop()] if len(found) == 1 else _MIXED


def target(query: Query, kind: PanelKind, number: int) -> Json:
    """Return one query of a panel of that kind."""
    if query.source == "loki":
        return _loki(query, number)
    if query.source == "tempo":
        return _tempo(query, number)
    return {
        "datasource": SOURCES["prometheus"],
        "editorMode": "code",
        "exemplar": query.exemplar,
        "expr": query.expr,
        "format": kind if kind in {"heatmap", "table"} else "time_series",
        "instant": query.instant,
        "legendFormat": query.legend,
        "range": not query.instant,
        "refId": letter(number),
    }


def letter(number: int) -> str:
    """Return the name of a panel's query: A to Z, then AA."""
    return _LETTERS[number] if number < 26 else letter(number // 26 - 1) + _LETTERS[number % 26]


def _loki(query: Query, number: int) -> Json:
    return {
        "datasource": SOURCES["loki"],
        "direction": "backward",
        "editorMode": "code",
        "expr": query.expr,
        "legendFormat": query.legend,
        "maxLines": _MOST_LINES,
        "queryType": "instant" if query.instant else "range",
        "refId": letter(number),
    }


def _tempo(query: Query, number: int) -> Json:
    return {
        "datasource": SOURCES["tempo"],
        "filters": [],
        "limit": _MOST_TRACES,
        "query": query.expr,
        "queryType": "traceql",
        "refId": letter(number),
        "tableType": "traces",
    }
