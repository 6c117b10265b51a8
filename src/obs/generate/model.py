"""The narrow waist of the generator: what a spec says and what is derived from it, as frozen values.

Readers (`spec`) fill the upper half, `derive` the lower half, `render` turns it into artefacts::

    Spec files -> Service (Slo, Job, Tuning, Links) -> Alert, RuleFile, Dashboard, Runbook -> Artefact

Nothing here does I/O. Every value that a person wrote knows its `Place`.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Literal, TypeAlias

from obs.catalogue import Dialect, Registry

Severity: TypeAlias = Literal["page", "ticket", "none"]
SEVERITIES: tuple[Severity, ...] = ("page", "ticket", "none")
#: What a service can do; each brings signals, panels, alerts, tests and runbooks.
CAPABILITIES: tuple[str, ...] = ("http", "jobs", "process")
#: Kinds of trouble, a label of every alert.
Category: TypeAlias = Literal["http", "process", "jobs", "targets", "slo", "fleet"]
#: Alert -> key of the dashboard panel that shows what it watches. `{slo}` is the name of the SLO.
PANEL_OF: Mapping[str, str] = {
    "HttpErrorRatioHigh": "http-errors",
    "HttpErrorRatioElevated": "http-errors",
    "HttpLatencyP99High": "http-latency",
    "HttpTrafficDropped": "http-traffic",
    "ProcessCpuHigh": "process-cpu",
    "ProcessMemoryHigh": "process-memory",
    "JobFailureRatioHigh": "jobs-failures",
    "JobNotRunning": "jobs-last-success",
    "TargetDown": "targets-up",
    "ErrorBudgetBurnFast": "slo-{slo}-burn",
    "ErrorBudgetBurnSlow": "slo-{slo}-burn",
    "SliMetricAbsent": "slo-{slo}-burn",
}
#: Name under which alerts of no single service are filed.
FLEET = "fleet"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a person wrote something; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


_DURATION = re.compile(r"(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+)s)?(?:(\d+)ms)?\Z")
_UNITS = (("w", 604_800_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1))
_WORDS = {"d": "day", "h": "hour", "m": "minute", "s": "second", "ms": "millisecond"}


@dataclass(frozen=True, slots=True, order=True)
class Duration:
    """A span of time in whole milliseconds, written as Prometheus writes it: ``1h30m``, ``500ms``."""

    milliseconds: int

    @classmethod
    def parse(cls, text: str) -> Duration:
        """Read ``30s``, ``1h30m``, ``500ms``; raise `ValueError` for anything else and for zero parts only.

        ``0s`` is legal: a `for` of nothing.
        """
        match = _DURATION.match(text)
        if not match or not any(part is not None for part in match.groups()):
            raise ValueError(text)
        return cls(
            sum(int(part) * unit for part, (_, unit) in zip(match.groups(), _UNITS, strict=True) if part)
        )

    @property
    def seconds(self) -> Decimal:
        """The span in seconds, exact."""
        return Decimal(self.milliseconds) / 1000

    def __str__(self) -> str:
        # Weeks are left out: 7d reads as what it is in a look-back.
        rest, text = self.milliseconds, ""
        for suffix, unit in _UNITS[1:]:
            count, rest = divmod(rest, unit)
            text += f"{count}{suffix}" if count else ""
        return text or "0s"

    @property
    def words(self) -> str:
        """The span as people say it: ``1 hour 30 minutes``."""
        rest, parts = self.milliseconds, []
        for suffix, unit in _UNITS[1:]:
            count, rest = divmod(rest, unit)
            if count:
                parts.append(f"{count} {_WORDS[suffix]}{'' if count == 1 else 's'}")
        return " ".join(parts) or "0 seconds"

    def __bool__(self) -> bool:
        return self.milliseconds > 0

    def __add__(self, other: Duration) -> Duration:
        return Duration(self.milliseconds + other.milliseconds)

    def __mul__(self, times: int) -> Duration:
        return Duration(self.milliseconds * times)


# --- what a spec says ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Links:
    """Base addresses, without a trailing slash."""

    runbooks: str = "http://127.0.0.1:8085/runbooks"
    grafana: str = "http://127.0.0.1:3000"
    prometheus: str = "http://127.0.0.1:9090"
    alertmanager: str = "http://127.0.0.1:9093"
    #: Address of every receiver of the kind webhook; empty when each address is a secret file.
    webhook: str = ""


@dataclass(frozen=True, slots=True)
class Grouping:
    """How long Alertmanager gathers the alerts of one group before it tells anyone, and again."""

    wait: Duration = Duration(30_000)
    interval: Duration = Duration(300_000)
    #: When a page that goes on is sent again; a ticket waits six times as long.
    repeat: Duration = Duration(14_400_000)


@dataclass(frozen=True, slots=True)
class RatioSli:
    """Bad events over all events: `bad` holds dotted label -> value or class (``5xx``)."""

    total: str
    bad: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class LatencySli:
    """Events of a histogram that took longer than `under`, a bound that its contract declares."""

    signal: str
    under: Duration


@dataclass(frozen=True, slots=True)
class Slo:
    """A service level objective; `objective` is in percent, exact."""

    name: str
    objective: Decimal
    window: Duration
    sli: RatioSli | LatencySli
    min_bad_events: int
    place: Place

    @property
    def budget(self) -> Decimal:
        """The share of events that may be bad: 0.001 for an objective of 99.9."""
        return (Decimal(100) - self.objective) / 100


@dataclass(frozen=True, slots=True)
class Job:
    """Scheduled work: it must succeed once in `schedule`, at most `grace` late."""

    name: str
    schedule: Duration
    grace: Duration
    place: Place

    @property
    def cycle(self) -> Duration:
        """The longest time that may pass between two successes."""
        return self.schedule + self.grace


@dataclass(frozen=True, slots=True)
class Tuning:
    """What a spec changes about one alert; None leaves the default."""

    alert: str
    place: Place
    threshold: Decimal | None = None
    window: Duration | None = None
    for_: Duration | None = None
    severity: Severity | None = None
    #: Why the alert is switched off; None keeps it on.
    disabled: str | None = None
    #: Where each given key stands, for findings about its value.
    places: Mapping[str, Place] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Service:
    """One service with everything its spec says, the overlay of the chosen environment applied."""

    name: str
    team: str
    tier: str
    dialect: Dialect
    signals: Registry
    capabilities: tuple[str, ...]
    #: Label -> value that pick the service's series; always holds `service`.
    select: Mapping[str, str]
    #: How often the service is scraped.
    scrape_interval: Duration
    #: How often its alert rules are evaluated.
    rule_interval: Duration
    slos: tuple[Slo, ...]
    jobs: tuple[Job, ...]
    tunings: Mapping[str, Tuning]
    #: Severity of the alert's author -> severity in this environment.
    severities: Mapping[Severity, Severity]
    #: Severity -> name of the receiver in Alertmanager.
    notify: Mapping[Severity, str]
    links: Links
    place: Place
    #: Name of the environment whose overlay is applied; None for the spec as it stands.
    environment: str | None = None
    grouping: Grouping = Grouping()


# --- what is derived ----------------------------------------------------------------------------


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


@dataclass(frozen=True, slots=True)
class TestCase:
    """Sample series with what the alert must do on them; its sentence says the fact."""

    __test__ = False  # pytest collects classes by name

    says: str
    kind: Literal["fires", "silent", "for", "born", "gone"]
    #: Distance between two values of a series.
    step: Duration
    series: tuple[Series, ...]
    expects: tuple[Expectation, ...]
    #: The environment that only the series of this case carry; "" when the spec's own is fixed.
    environment: str = ""
    #: Must not share a promtool group with any other case.
    alone: bool = False


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
    category: Category
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

    @property
    def runbook(self) -> PurePosixPath:
        """Path of its page under ``runbooks/``."""
        return PurePosixPath(self.service, f"{self.name}.md")


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


@dataclass(frozen=True, slots=True)
class RuleFile:
    """One rule file; `stem` is its name without suffix."""

    stem: str
    groups: tuple[RuleGroup, ...]

    @property
    def alerts(self) -> tuple[Alert, ...]:
        """The alerts of every group, in order."""
        return tuple(rule for group in self.groups for rule in group.rules if isinstance(rule, Alert))


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
