"""Grafana's classic dashboards, of any schema version and however wrapped, as plain values with places.

Read as they are found in the wild: panels under `rows` (before schema 16), flat, or inside collapsed
rows; data sources as names, as objects, as variables or left out; exports with `__inputs`; the answer of
Grafana's API and Kubernetes resources around the same object. Dashboards of schema v2 hold their panels
elsewhere and are told apart, not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from obs.lint.query import Language, Query, Use
from obs.lint.read.json_tree import Tree, Value, Way
from obs.lint.source import Source, Span

#: A reference to a variable: $name, ${name}, ${name:format}, [[name]], [[name:format]].
REFERENCE = re.compile(r"\$(?P<plain>\w+)|\$\{(?P<braced>\w+)(?:[.:][^}]*)?\}|\[\[(?P<old>\w+)(?::\w+)?\]\]")
#: Sources that Grafana itself answers for.
BUILT_IN = frozenset({"grafana", "-- Grafana --", "-- Mixed --", "-- Dashboard --", "__expr__", "datasource"})
_LANGUAGES: Mapping[str, Language] = {
    "prometheus": "promql",
    "grafana-amazonprometheus-datasource": "promql",
    "grafana-azureprometheus-datasource": "promql",
    "loki": "logql",
}
#: What only a query of logs holds.
_LOGS = re.compile(
    r"\|[=~]|\|\s*(?:json|logfmt|unpack|unwrap|line_format|label_format|pattern|regexp)\b"
    # A selector without the name of a metric is one of streams.
    r"|(?:^|[\s(,])\{[^{}]*\}\s*(?:\[|\||\Z)"
)


@dataclass(frozen=True, slots=True)
class DataSource:
    """Which data source answers: `uid` is its uid or name as written, a variable, or "" for the default."""

    type: str
    uid: str
    value: Value

    @property
    def variable(self) -> str:
        """Name of the variable that chooses it; "" when it is fixed."""
        match = REFERENCE.fullmatch(self.uid)
        return (match["plain"] or match["braced"] or match["old"]) if match else ""

    @property
    def built_in(self) -> bool:
        """Whether Grafana itself answers (annotations, other panels, expressions)."""
        return self.uid in BUILT_IN or self.type in BUILT_IN

    @property
    def fixed(self) -> bool:
        """Whether it names one server of one installation."""
        return bool(self.uid) and not self.variable and not self.built_in


@dataclass(frozen=True, slots=True)
class Target:
    """One query of a panel."""

    ref: str
    text: Value
    language: Language
    #: Whether the language is declared and not guessed from the query's text.
    declared: bool
    source: DataSource
    hidden: bool
    value: Value


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel, wherever it stands; rows are panels of type ``row``."""

    id: int | None
    type: str
    title: str
    description: str
    source: DataSource
    targets: tuple[Target, ...]
    #: Left, top, width, height in Grafana's grid of 24 columns; None in dashboards of rows.
    grid: tuple[int, int, int, int] | None
    value: Value
    #: Title of the row that holds it while that is collapsed: such panels have a grid of their own.
    folded: str = ""
    #: Its body stands in the library and not here.
    library: bool = False

    @property
    def name(self) -> str:
        """What to call it in a sentence."""
        return f"panel {self.title!r}" if self.title.strip() else f"panel {self.id or ''}".rstrip()

    @property
    def heading(self) -> Value:
        """The value to point at when the panel as a whole is meant."""
        return self.value.near("title")

    @property
    def defaults(self) -> Value:
        """What holds for all its fields."""
        return self.value["fieldConfig"]["defaults"]


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable of a dashboard."""

    name: str
    #: query, datasource, custom, interval, constant, textbox, adhoc...
    type: str
    #: What it asks, or the values that it offers.
    text: Value
    source: DataSource
    multi: bool
    include_all: bool
    all_value: str
    value: Value

    @property
    def query(self) -> str:
        """What it asks, or the values that it offers; "" when that is no text."""
        return self.text.text


@dataclass(frozen=True)
class Dashboard:
    """One dashboard with everything that checks ask of it."""

    source: Source
    root: Value
    panels: tuple[Panel, ...]
    variables: tuple[Variable, ...]
    #: Names that an import fills in (``DS_PROMETHEUS``) -> type of the data source, "" for constants.
    inputs: Mapping[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """Its title."""
        return self.root["title"].text

    @property
    def uid(self) -> str:
        """Its name in links."""
        return self.root["uid"].text

    @property
    def heading(self) -> Value:
        """The value to point at when the dashboard as a whole is meant."""
        return self.root.near("title")

    @cached_property
    def targets(self) -> tuple[tuple[Panel, Target], ...]:
        """Every query with its panel, hidden ones included."""
        return tuple((panel, target) for panel in self.panels for target in panel.targets)

    @cached_property
    def queries(self) -> tuple[Query, ...]:
        """Every query that we can read: of panels, of variables and of annotations."""
        return tuple(_queries(self))

    @cached_property
    def variable(self) -> Mapping[str, Variable]:
        """The variables by name."""
        return {variable.name: variable for variable in self.variables}

    @cached_property
    def links(self) -> tuple[Value, ...]:
        """Every address that the dashboard leads to: its own links, those of panels and of their data."""
        return tuple(_links(self.root))


def query(panel: Panel, target: Target) -> Query | None:
    """Return the query of a panel; None when there is none, or none in a language that we read."""
    if not target.language or not target.text.text.strip():
        return None
    return Query(target.text.written, "panel", panel.name, target.language)


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
    types = _types(root)
    return Dashboard(
        source=tree.source,
        root=root,
        panels=tuple(_panels(root, types)),
        variables=tuple(_variable(item, types) for item in root["templating"]["list"]),
        inputs=_inputs(root),
    )


def _types(root: Value) -> dict[str, str]:
    """Return the type of data source that each variable and input stands for."""
    return _inputs(root) | {
        variable["name"].text: variable["query"].text
        for variable in root["templating"]["list"]
        if variable["type"].text == "datasource"
    }


def _inputs(root: Value) -> dict[str, str]:
    return {item["name"].text: item["pluginId"].text for item in root["__inputs"] if item["name"].text}


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
    number = value["id"].number
    return Panel(
        id=int(number) if number is not None else None,
        type=value["type"].text,
        title=value["title"].text,
        description=value["description"].text,
        source=source,
        targets=tuple(_target(target, source, types) for target in value["targets"]),
        grid=_grid(value["gridPos"]),
        value=value,
        folded=folded,
        library="libraryPanel" in value,
    )


def _grid(value: Value) -> tuple[int, int, int, int] | None:
    sides = [value[key].number for key in ("x", "y", "w", "h")]
    if any(side is None for side in sides):
        return None
    x, y, w, h = (int(side or 0) for side in sides)
    return x, y, w, h


def _target(value: Value, panel: DataSource, types: Mapping[str, str]) -> Target:
    own = data_source(value["datasource"], types)
    source = own if own.uid or own.type else panel
    text = next((value[key] for key in ("expr", "query") if value[key].text.strip()), value["expr"])
    language, declared = _language(source, text)
    return Target(value["refId"].text, text, language, declared, source, value["hide"].data is True, value)


def _language(source: DataSource, text: Value) -> tuple[Language, bool]:
    if source.type and source.type not in BUILT_IN:
        return _LANGUAGES.get(source.type, ""), True
    if source.uid and source.built_in and source.uid != "-- Mixed --":
        return "", True
    if text.way[-1:] != ("expr",) or not text.text.strip():
        return "", False
    return ("logql" if _LOGS.search(text.text) else "promql"), False


def _queries(dashboard: Dashboard) -> Iterator[Query]:
    for panel, target in dashboard.targets:
        found = query(panel, target)
        if found is not None:
            yield found
    for variable in dashboard.variables:
        text = _asked(variable)
        if text is not None:
            yield Query(text, "variable", f"variable {variable.name}")
    types = _types(dashboard.root)
    for value in dashboard.root["annotations"]["list"]:
        found = _annotation(value, types)
        if found is not None:
            yield found


class Part(NamedTuple):
    """A piece of a string, which looks up where it stands only when it is asked."""

    value: str
    of: Value
    #: Where it begins in the string.
    offset: int

    @property
    def span(self) -> Span:
        """All of it."""
        return self.of.written.at(self.offset, len(self.value))

    def at(self, offset: int, length: int = 1) -> Span:
        """Return where `length` characters of the piece from `offset` on were written."""
        return self.of.written.at(self.offset + offset, length)


def _asked(variable: Variable) -> Part | None:
    """Return the PromQL inside of a variable's query: what label_values and query_result ask."""
    if (
        variable.type != "query"
        or not variable.query
        or _language(variable.source, variable.text)[0] == "logql"
    ):
        return None
    match = _ASKED.match(variable.query)
    if match is None or not (match["selector"] or match["expr"]):
        return None
    group = "selector" if match["selector"] else "expr"
    inner = match[group].rstrip()
    return Part(inner, variable.text, match.start(group))


_ASKED = re.compile(
    r"\s*(?:label_values\(\s*(?:(?P<selector>.+?)\s*,)\s*[\w$\{}\[\]]+\s*\)|query_result\((?P<expr>.+)\))\s*\Z",
    re.DOTALL,
)


def _annotation(value: Value, types: Mapping[str, str]) -> Query | None:
    source = data_source(value["datasource"], types)
    language, _ = _language(source, value["expr"])
    if not language or not value["expr"].text.strip():
        return None
    use: Use = "annotation"
    return Query(value["expr"].written, use, f"annotation {value['name'].text}".rstrip(), language)


def data_source(value: Value, types: Mapping[str, str] | None = None) -> DataSource:
    """Return the data source that is written there; `types` are those of variables."""
    if isinstance(value.data, dict):
        kind, uid = value["type"].text, value["uid"].text
    else:
        kind, uid = "", value.text if value.text not in {"default", "null"} else ""
    source = DataSource(kind, uid, value)
    if not kind and source.variable:
        kind = (types or {}).get(source.variable, "")
    elif not kind and uid and not source.built_in:
        kind = next((known for known in ("prometheus", "loki", "tempo") if known in uid.lower()), "")
    return DataSource(kind, uid, value)


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


def _links(value: Value) -> Iterator[Value]:
    """Find the addresses under keys that Grafana reads as links, at any depth, without recursion."""
    # Plain data and not values: there are hundreds of containers in a dashboard and a link or two.
    waiting: list[tuple[Way, Any]] = [(value.way, value.data)]
    while waiting:
        way, data = waiting.pop()
        if isinstance(data, list):
            waiting += [
                ((*way, at), inner) for at, inner in enumerate(data) if isinstance(inner, dict | list)
            ]
        elif isinstance(data, dict):
            url = data.get("url")
            if isinstance(url, str) and url and way[-2:-1] in _LINK_KEYS:
                yield Value(value.tree, (*way, "url"), url)
            waiting += [((*way, key), inner) for key, inner in data.items() if isinstance(inner, dict | list)]


_LINK_KEYS = frozenset({("links",), ("value",), ("dataLinks",)})
