"""Dashboards as values: what each panel asks of which source, and how its answer reads."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypeAlias

from obs.generate.model.place import Duration

#: Where a query goes: PromQL, LogQL or TraceQL.
Source: TypeAlias = Literal["prometheus", "loki", "tempo"]
Colour: TypeAlias = Literal["green", "yellow", "red"]
PanelKind: TypeAlias = Literal["timeseries", "stat", "gauge", "heatmap", "table", "text", "logs"]
PANEL_KINDS: tuple[PanelKind, ...] = ("timeseries", "stat", "gauge", "heatmap", "table", "text", "logs")

_HOUR = Duration(3_600_000)


@dataclass(frozen=True, slots=True)
class Query:
    """One query of a panel; PromQL is checked against the contract (`derive.promql.checked`)."""

    expr: str
    legend: str
    #: Draw exemplars (a histogram's buckets carry them).
    exemplar: bool = False
    instant: bool = False
    source: Source = "prometheus"


@dataclass(frozen=True, slots=True)
class PanelThreshold:
    """A line on a panel: at and beyond `value` the colour says how bad it is."""

    value: Decimal
    colour: Colour


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table, in the order of the columns; fields without one come after them."""

    #: A label, or ``Value #A`` for the value of the first query and so on (``Value`` of an only one).
    field: str
    title: str
    unit: str = ""
    thresholds: tuple[PanelThreshold, ...] = ()
    #: (title, address) of where a click leads.
    links: tuple[tuple[str, str], ...] = ()
    hidden: bool = False
    #: (value, text shown for it).
    texts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel; `key` never changes, because links in alerts are made of it."""

    key: str
    title: str
    description: str
    #: Grafana's unit id, such as ``percentunit``, ``s``, ``reqps``, ``bytes``.
    unit: str
    kind: PanelKind
    queries: tuple[Query, ...]
    thresholds: tuple[PanelThreshold, ...] = ()
    #: Text of a text panel.
    text: str = ""
    #: (title, address): the runbooks of the alerts that it shows.
    links: tuple[tuple[str, str], ...] = ()
    #: (title, address): where a click on a value leads; may hold Grafana's variables.
    data_links: tuple[tuple[str, str], ...] = ()
    #: Columns of a table that are named, ordered, linked or hidden.
    columns: tuple[Column, ...] = ()
    #: Title of the column that a table is sorted by; a minus in front: the largest first.
    sort: str = ""
    #: Columns of the 24 of the grid; 0 shares the line with the other panels of the row.
    width: int = 0
    #: Lines of the grid, of which each is 30 pixels high.
    height: int = 8

    @property
    def id(self) -> int:
        """The number in links, the same as long as the key is."""
        return panel_id(self.key)


@dataclass(frozen=True, slots=True)
class Row:
    """Panels under one heading."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class Variable:
    """What a reader chooses at the head of a dashboard."""

    name: str
    label: str
    kind: Literal["datasource", "query", "textbox"]
    #: Type of data source, Prometheus' query for the values, or the text it starts with.
    query: str = ""
    #: What "All" stands for: an expression that matches something even where there is no value yet.
    all_value: str = ".*"


@dataclass(frozen=True, slots=True)
class Annotation:
    """A mark on every graph while `expr` has samples; title and text may hold labels."""

    name: str
    expr: str
    title: str
    text: str = ""
    tags: str = ""
    colour: str = "red"


@dataclass(frozen=True, slots=True)
class Dashboard:
    """One dashboard; `name` is its file and its address, `folder` where Grafana shows it."""

    name: str
    folder: str
    title: str
    description: str
    rows: tuple[Row, ...]
    #: The shortest step that makes sense: how often targets are scraped.
    interval: Duration
    variables: tuple[Variable, ...] = ()
    annotations: tuple[Annotation, ...] = ()
    tags: tuple[str, ...] = ()
    #: (title, address) at its head.
    links: tuple[tuple[str, str], ...] = ()
    #: How far it looks back when it is opened.
    span: Duration = _HOUR

    @property
    def uid(self) -> str:
        """The dashboard's name in links."""
        return dashboard_uid(self.name)


def panel_id(key: str) -> int:
    """Return the id of the panel with that key: stable, positive, within Grafana's 31 bits."""
    return zlib.crc32(key.encode()) % 2_000_000_000 + 1


def dashboard_uid(name: str) -> str:
    """Return the uid of the dashboard of that name: at most Grafana's 40 characters."""
    uid = f"obs-{name}"
    return uid if len(uid) <= 40 else f"{uid[:31]}-{zlib.crc32(name.encode()):08x}"
