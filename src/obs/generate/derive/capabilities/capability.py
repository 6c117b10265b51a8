"""What a capability brings: alerts with their authors and guides, and panels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from obs.generate.derive.drafts import Draft, Kit
from obs.generate.derive.guidance.queries import Queries
from obs.generate.derive.settings import Defaults
from obs.generate.model import Alert, Duration, Job, Panel, Row, Runbook

#: Writes the one page of all alerts of a name.
Guide: TypeAlias = Callable[[Sequence[Alert], Queries], Runbook]

#: Who must know of something within this time is told on a finer grid.
_SOON = Duration.parse("5m")


@dataclass(frozen=True, slots=True)
class Entry:
    """One alert of a service: its author's proposal, its author, where it is seen, and what to do about it."""

    name: str
    defaults: Defaults
    author: Callable[[Kit], Draft]
    #: Key of the dashboard panel that shows what it watches.
    panel: str
    guide: Guide
    #: Looks back so far that its stories are told on a coarse grid, and are so long that no other
    #: capability's rules may be evaluated with them: its capability has a file for such alerts.
    slow: bool = False

    @property
    def urgent(self) -> bool:
        """Whether its author lets it wait for so little that its stories need a fine grid, and a file of their own."""
        return Duration(0) < self.defaults.for_ <= _SOON


@dataclass(frozen=True, slots=True)
class JobEntry:
    """One alert of which there is one for each job of the spec."""

    name: str
    defaults: Defaults
    author: Callable[[Kit, Job], Draft]
    panel: str
    guide: Guide


@dataclass(frozen=True, slots=True)
class Headline:
    """Its kind of work in one line of the overview of all services: PromQL, each by service and environment."""

    #: Pieces of work a second.
    traffic: str
    #: Share of them that failed.
    errors: str
    #: What one in twenty exceeds, in seconds.
    latency: str


@dataclass(frozen=True, slots=True)
class Capability:
    """What a service can do; a spec names it under ``capabilities``, unless it is `always` there."""

    name: str
    #: Label `category` of its alerts.
    category: str
    alerts: tuple[Entry, ...] = ()
    job_alerts: tuple[JobEntry, ...] = ()
    #: Builds its row of the dashboard; panels that stand among the golden signals already are left out.
    row: Callable[[Queries], Row] | None = None
    #: Traffic, errors and latency of its kind of work; those of the first capability that has them are shown.
    golden: Callable[[Queries, Sequence[Alert]], tuple[Panel, ...]] | None = None
    #: The same in one line; that of the first capability that has one stands in the overview of all services.
    headline: Callable[[Queries], Headline] | None = None
    #: How full the service is; shown among the golden signals whatever the work is.
    saturation: Callable[[Queries], tuple[Panel, ...]] | None = None
    always: bool = False
