"""Grafana's classic dashboards, of any schema version and however wrapped, as plain values with places.

Read as they are found in the wild: panels under `rows` (before schema 16), flat, or inside collapsed
rows; data sources as names, as objects, as variables or left out; exports with `__inputs`; the answer of
Grafana's API and Kubernetes resources around the same object. Dashboards of schema v2 hold their panels
elsewhere and are told apart, not read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from obs.lint.read.dashboard_queries import queries
from obs.lint.read.data_sources import DataSource, data_source, inputs_of, language_of, types_of
from obs.lint.read.grafana import Dashboard, Panel, Target, Variable
from obs.lint.read.json_tree import Tree, Value, number


def is_dashboard(data: object) -> bool:
    """Tell whether parsed JSON is a dashboard of any kind, wrapped or not."""
    return isinstance(data, dict) and (_is_classic(_unwrapped(data)) or is_v2(data))


def is_v2(data: object) -> bool:
    """Tell whether parsed JSON is a dashboard of the new schema, whose panels are elements of a layout."""
    inner = _unwrapped(data) if isinstance(data, dict) else data
    return isinstance(inner, dict) and "elements" in inner and "layout" in inner


def read(tree: Tree) -> Dashboard:
    """Return the classic dashboard of a file."""
    root = tree.root
    for key in ("dashboard", "spec"):
        if not _is_classic(root.data) and isinstance(root[key].data, dict):
            root = root[key]
    types = types_of(root)
    panels = tuple(_panels(root, types))
    variables = tuple(_variable(item, types) for item in root["templating"]["list"])
    return Dashboard(
        source=tree.source,
        root=root,
        panels=panels,
        variables=variables,
        inputs=inputs_of(root),
        queries=tuple(queries(panels, variables, root["annotations"]["list"], types)),
    )


def _unwrapped(data: Mapping[str, object]) -> object:
    for key in ("dashboard", "spec"):
        if not _is_classic(data) and isinstance(data.get(key), dict):
            return data[key]
    return data


def _is_classic(data: object) -> bool:
    return (
        isinstance(data, dict)
        and (isinstance(data.get("panels"), list) or isinstance(data.get("rows"), list))
        and ("title" in data or "schemaVersion" in data or "templating" in data)
    )


def _panels(root: Value, types: Mapping[str, str]) -> Iterator[Panel]:
    for row in root["rows"]:
        for value in row["panels"]:
            yield _panel(value, types)
    for value in root["panels"]:
        yield _panel(value, types)
        for inner in value["panels"]:
            yield _panel(inner, types, folded=value["title"].text or "row")


def _panel(value: Value, types: Mapping[str, str], folded: str = "") -> Panel:
    source = data_source(value["datasource"], types)
    own = number(value.plain("id"))
    return Panel(
        id=int(own) if own is not None else None,
        type=value.word("type"),
        title=value.word("title"),
        description=value.word("description"),
        source=source,
        targets=tuple(_target(target, source, types) for target in value["targets"]),
        grid=_grid(value),
        value=value,
        folded=folded,
        library="libraryPanel" in value,
    )


def _grid(value: Value) -> tuple[int, int, int, int] | None:
    sides = [number(value.plain("gridPos", key)) for key in ("x", "y", "w", "h")]
    if any(side is None for side in sides):
        return None
    x, y, w, h = (int(side or 0) for side in sides)
    return x, y, w, h


def _target(value: Value, panel: DataSource, types: Mapping[str, str]) -> Target:
    own = data_source(value["datasource"], types)
    source = own if own.uid or own.type else panel
    text = value["query" if not value.word("expr").strip() and value.word("query").strip() else "expr"]
    language, declared = language_of(source, text)
    return Target(value.word("refId"), text, language, declared, source, value.plain("hide") is True, value)


def _variable(value: Value, types: Mapping[str, str]) -> Variable:
    text = value["query"]["query"] if isinstance(value["query"].data, dict) else value["query"]
    return Variable(
        name=value["name"].text,
        type=value["type"].text,
        text=text,
        source=data_source(value["datasource"], types),
        multi=value["multi"].data is True,
        include_all=value["includeAll"].data is True,
        all_value=value["allValue"].text,
        value=value,
    )
