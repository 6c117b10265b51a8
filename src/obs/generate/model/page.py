"""What people look at: dashboards, runbooks, and any file to be written."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Literal

from obs.generate.model.alert import Alert
from obs.generate.model.place import Duration


@dataclass(frozen=True, slots=True)
class Query:
    """One PromQL query of a panel, checked against the contract (`derive.promql.checked`)."""

    expr: str
    legend: str
    #: Draw exemplars (a histogram's buckets carry them).
    exemplar: bool = False
    instant: bool = False


@dataclass(frozen=True, slots=True)
class PanelThreshold:
    """A line on a panel: at and beyond `value` the colour says how bad it is."""

    value: Decimal
    colour: Literal["green", "yellow", "red"]


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel; `key` never changes, because links in alerts are made of it."""

    key: str
    title: str
    description: str
    #: Grafana's unit id, such as ``percentunit``, ``s``, ``reqps``, ``bytes``.
    unit: str
    kind: Literal["timeseries", "stat", "gauge", "heatmap", "table", "text"]
    queries: tuple[Query, ...]
    thresholds: tuple[PanelThreshold, ...] = ()
    #: Text of a text panel.
    text: str = ""
    #: (title, address): the runbooks of the alerts that it shows.
    links: tuple[tuple[str, str], ...] = ()

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
class Dashboard:
    """One dashboard of one service."""

    service: str
    title: str
    description: str
    rows: tuple[Row, ...]
    interval: Duration
    tags: tuple[str, ...] = ()
    #: (title, address) at its head.
    links: tuple[tuple[str, str], ...] = ()
    #: Selector of the alerts that are marked on every graph.
    firing: str = ""
    #: Selector of the service's targets, whose labels the variables offer.
    targets: str = ""

    @property
    def uid(self) -> str:
        """The dashboard's name in links."""
        return dashboard_uid(self.service)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a runbook: what to do, a query that is ready to run, and what follows from what is seen."""

    text: str
    queries: tuple[str, ...] = ()
    #: (what is seen, where to go).
    outcomes: tuple[tuple[str, str], ...] = ()
    #: LogQL queries and shell commands, ready to run too.
    logs: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Action:
    """One mitigation: what to do, what it brings, and how long that takes."""

    text: str
    effect: str
    takes: str


@dataclass(frozen=True, slots=True)
class Runbook:
    """The page of every alert of one name in one service."""

    alerts: tuple[Alert, ...]
    meaning: str
    impact: str
    diagnosis: tuple[Step, ...]
    mitigation: tuple[Action, ...]
    escalation: tuple[str, ...]
    verification: tuple[Step, ...]

    @property
    def path(self) -> PurePosixPath:
        """Path under ``runbooks/``."""
        return self.alerts[0].runbook


@dataclass(frozen=True, slots=True)
class Artefact:
    """A file to be written: path relative to the output directory, and its text.

    With `preserves`, parts that people wrote into the file on disk survive (runbooks).
    """

    path: PurePosixPath
    text: str
    preserves: bool = False


def panel_id(key: str) -> int:
    """Return the id of the panel with that key: stable, positive, within Grafana's 31 bits."""
    return zlib.crc32(key.encode()) % 2_000_000_000 + 1


def dashboard_uid(service: str) -> str:
    """Return the uid of a service's dashboard: at most Grafana's 40 characters."""
    uid = f"obs-{service}"
    return uid if len(uid) <= 40 else f"{uid[:31]}-{zlib.crc32(service.encode()):08x}"
