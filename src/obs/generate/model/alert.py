"""Alerts with their tests, and the rules and files that they stand in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Literal, TypeAlias

from obs.generate.model.logs import LogCase
from obs.generate.model.place import Duration, Place
from obs.generate.model.severity import Severity

#: What a story proves: it fires, it keeps silent just below, it waits out its `for`, it sees a series
#: from its birth on, and it does the right thing when series are gone.
Kind: TypeAlias = Literal["fires", "silent", "for", "born", "gone"]
#: Name under which alerts of no single service are filed.
FLEET = "fleet"


@dataclass(frozen=True, slots=True)
class Series:
    """One input series of a promtool test: a selector and values in promtool's notation."""

    selector: str
    values: str


@dataclass(frozen=True, slots=True)
class Firing:
    """One alert as it must be sent: every label and every annotation, templates filled in."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Expectation:
    """The state of an alert at one instant of a test; a firing one names what is sent."""

    at: Duration
    state: Literal["silent", "pending", "firing"]
    firing: tuple[Firing, ...] = ()
    #: Alerts that are pending or firing at once, where `firing` does not list them.
    count: int = 1


#: How long Prometheus sees a sample, by default; between two that are farther apart, a story says nothing.
SAMPLE_SEEN = Duration(300_000)


@dataclass(frozen=True, slots=True)
class TestCase:
    """Sample series with what the alert must do on them; its sentence says the fact."""

    __test__ = False  # pytest collects classes by name

    says: str
    kind: Kind
    #: Distance between two values of a series.
    step: Duration
    series: tuple[Series, ...]
    expects: tuple[Expectation, ...]
    #: The environment that only the series of this case carry; "" when the spec's own is fixed.
    environment: str = ""
    #: Must not share a promtool group with any other case.
    alone: bool = False
    #: Distance between two evaluations, a multiple of `step`; the story may then begin at any time.
    #: None: evaluated at every step, and told from the beginning.
    every: Duration | None = None


@dataclass(frozen=True, slots=True)
class Threshold:
    """The line an alert watches: `value` in `unit` (``ratio``, ``s``, ``1``), and the same in words."""

    value: Decimal
    unit: str
    comparison: Literal[">", "<", ">=", "<=", "=="]
    words: str


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert rule with all that belongs to it.

    Several alerts of a service may share a name (one JobNotRunning a job, one ErrorBudgetBurnFast
    an SLO); a static label tells them apart and they share one runbook page.
    """

    name: str
    service: str
    expr: str
    for_: Duration
    #: Static labels; hold service, severity, category, team, and what tells namesakes apart.
    labels: Mapping[str, str]
    #: summary, description, runbook_url, dashboard_url; may hold Prometheus templates.
    annotations: Mapping[str, str]
    severity: Severity
    category: str
    threshold: Threshold
    #: How far the expression looks back.
    window: Duration
    #: Dotted ids of the signals that the expression reads.
    signals: tuple[str, ...]
    #: Key of the dashboard panel that shows it, see `panel_id`; empty when none does (Watchdog).
    panel: str
    tests: tuple[TestCase, ...]
    #: Name of the `Job` or `Slo` it watches, when it watches one.
    job: str | None = None
    slo: str | None = None
    keep_firing_for: Duration | None = None
    #: Kind of story -> why its tests have none of it.
    omits: Mapping[Kind, str] = field(default_factory=dict)
    #: What `expr` is written in: PromQL for Prometheus, LogQL for the ruler of Loki.
    language: Literal["promql", "logql"] = "promql"
    #: Tests of a rule in LogQL, which promtool cannot run.
    log_tests: tuple[LogCase, ...] = ()

    @property
    def runbook(self) -> PurePosixPath:
        """Path of its page under ``runbooks/``."""
        return PurePosixPath(self.service, f"{self.name}.md")


@dataclass(frozen=True, slots=True)
class Skipped:
    """An alert that a service does not get, because its metrics cannot express it."""

    service: str
    alert: str
    reason: str
    #: Where the service's spec stands.
    place: Place


@dataclass(frozen=True, slots=True)
class RecordingRule:
    """A recorded series."""

    record: str
    expr: str
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RuleGroup:
    """Rules evaluated one after another every `interval`; None leaves it to the server."""

    name: str
    rules: tuple[RecordingRule | Alert, ...]
    interval: Duration | None = None
    #: A rule that yields more series or alerts than this fails, and says so in the engine's own metrics.
    limit: int | None = None
    #: How far in the past they are evaluated, for series that come late; Prometheus knows it from 2.53 on.
    query_offset: Duration | None = None


@dataclass(frozen=True, slots=True)
class RuleFile:
    """One rule file; `stem` is its name without suffix."""

    stem: str
    groups: tuple[RuleGroup, ...]

    @property
    def query_offset(self) -> Duration | None:
        """How far in the past its rules are evaluated; groups that read one another's series share it."""
        return next((group.query_offset for group in self.groups if group.rules), None)

    def after(self, offset: Duration | None) -> RuleFile:
        """Return it with every group evaluated so far in the past."""
        if offset is None:
            return self
        return replace(self, groups=tuple(replace(group, query_offset=offset) for group in self.groups))

    @property
    def alerts(self) -> tuple[Alert, ...]:
        """The alerts of every group, in order."""
        return tuple(rule for group in self.groups for rule in group.rules if isinstance(rule, Alert))
