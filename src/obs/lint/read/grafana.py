"""The parts of a Grafana dashboard as plain values with places."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from obs.lint.query import Language, Query
from obs.lint.read.data_sources import DataSource
from obs.lint.read.json_tree import Value, Way
from obs.lint.source import Source


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
    #: Every query that we can read: of panels, of variables and of annotations.
    queries: tuple[Query, ...] = ()

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
    def variable(self) -> Mapping[str, Variable]:
        """The variables by name."""
        return {variable.name: variable for variable in self.variables}

    @cached_property
    def links(self) -> tuple[Value, ...]:
        """Every address that the dashboard leads to: its own links, those of panels and of their data."""
        # Looked for in the text first: most dashboards have none, and all have hundreds of containers.
        return tuple(_links(self.root)) if '"url"' in self.source.text else ()


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
