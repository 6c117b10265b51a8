"""What a spec adds of its own: alerts with their tests, and rows of panels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from obs.generate.model.place import Duration, Place
from obs.generate.model.severity import Severity

State: TypeAlias = Literal["silent", "pending", "firing"]


@dataclass(frozen=True, slots=True)
class CustomTest:
    """One story of a custom alert: series in promtool's notation, and the state at instants."""

    says: str
    #: Distance between two values of a series.
    step: Duration
    #: Selector -> values.
    series: Mapping[str, str]
    expects: tuple[tuple[Duration, State], ...]
    #: Alerts that are there at once when it is pending or firing.
    count: int
    place: Place


@dataclass(frozen=True, slots=True)
class CustomAlert:
    """One alert that the spec writes out: everything that a built-in alert gets from its author."""

    name: str
    expr: str
    for_: Duration
    severity: Severity
    category: str
    summary: str
    description: str
    tests: tuple[CustomTest, ...]
    #: Heading -> Markdown below it, from the spec's runbook file; the fixed headings are all there.
    runbook: Mapping[str, str]
    place: Place
    #: Where the expression stands.
    expr_place: Place
    labels: Mapping[str, str] = field(default_factory=dict)
    keep_firing_for: Duration | None = None
    #: Grafana's unit of what the expression measures.
    unit: str = "short"


@dataclass(frozen=True, slots=True)
class ExtraPanel:
    """One panel of a service's own: queries as (PromQL, legend, where it stands)."""

    key: str
    title: str
    description: str
    #: Grafana's unit id.
    unit: str
    queries: tuple[tuple[str, str, Place], ...]
    place: Place


@dataclass(frozen=True, slots=True)
class ExtraRow:
    """Panels of a service's own under one heading, below the generated ones."""

    title: str
    panels: tuple[ExtraPanel, ...]
