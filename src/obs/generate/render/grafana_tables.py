"""Tables: several answers in one line, columns named, ordered, coloured and linked."""

from __future__ import annotations

from typing import Any, TypeAlias

from obs.generate.model import Column, Panel
from obs.generate.render.grafana_queries import letter
from obs.generate.render.grafana_scales import steps

Json: TypeAlias = "dict[str, Any]"


def transformations(panel: Panel) -> list[Json]:
    """Return what makes one table of the panel's answers; empty when nothing has to be done."""
    if panel.kind != "table":
        return []
    if not panel.columns:
        return _plain(panel)
    found: list[Json] = []
    if any(query.source == "loki" for query in panel.queries):
        # The labels of a line are one field, of which each becomes a column.
        found.append(
            {
                "id": "extractFields",
                "options": {"format": "auto", "keepTime": False, "replace": False, "source": "labels"},
            }
        )
        names = [column.field for column in panel.columns if not column.hidden]
        found.append({"id": "filterFieldsByName", "options": {"include": {"names": names}}})
    if len(panel.queries) > 1:
        found.append({"id": "merge", "options": {}})
    return [*found, {"id": "organize", "options": _organize(panel)}]


def _plain(panel: Panel) -> list[Json]:
    """Return a table whose columns nobody has named: labels as they are, values by their queries, no time of now."""
    if not panel.queries or not all(
        query.source == "prometheus" and query.instant for query in panel.queries
    ):
        return []
    values = (
        ["Value"] if len(panel.queries) == 1 else [f"Value #{letter(n)}" for n in range(len(panel.queries))]
    )
    named = {
        value: query.legend
        for value, query in zip(values, panel.queries, strict=True)
        # A legend made of labels says which series it is; a column holds many.
        if query.legend and "{{" not in query.legend
    }
    organized = {"excludeByName": {"Time": True}, "indexByName": {}, "renameByName": named}
    merged: list[Json] = [{"id": "merge", "options": {}}] if len(panel.queries) > 1 else []
    return [*merged, {"id": "organize", "options": organized}]


def overrides(panel: Panel) -> list[Json]:
    """Return what differs from column to column."""
    return [
        {"matcher": {"id": "byName", "options": column.title}, "properties": properties}
        for column in panel.columns
        if not column.hidden and (properties := _properties(column))
    ]


def _organize(panel: Panel) -> Json:
    return {
        "excludeByName": {column.field: True for column in panel.columns if column.hidden},
        "indexByName": {column.field: place for place, column in enumerate(panel.columns)},
        "renameByName": {
            column.field: column.title
            for column in panel.columns
            if not column.hidden and column.title != column.field
        },
    }


def _properties(column: Column) -> list[Json]:
    found: list[Json] = []
    if column.unit:
        found.append({"id": "unit", "value": column.unit})
    if column.thresholds:
        found.append({"id": "thresholds", "value": {"mode": "absolute", "steps": steps(column.thresholds)}})
        found.append({"id": "custom.cellOptions", "value": {"type": "color-text"}})
    if column.links:
        links = [{"targetBlank": False, "title": title, "url": url} for title, url in column.links]
        found.append({"id": "links", "value": links})
    if column.texts:
        texts = {value: {"index": place, "text": text} for place, (value, text) in enumerate(column.texts)}
        found.append({"id": "mappings", "value": [{"options": texts, "type": "value"}]})
    return found
