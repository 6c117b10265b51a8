"""What a spec says: one service, the overlay of an environment applied."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from obs.catalogue import Dialect, Registry
from obs.generate.model.custom import CustomAlert, ExtraRow
from obs.generate.model.downtime import Downtime
from obs.generate.model.kubernetes import Kubernetes
from obs.generate.model.mapping import MappedSignal
from obs.generate.model.owner import Owner
from obs.generate.model.place import Duration, Place
from obs.generate.model.routing import Grouping, Links, Routing
from obs.generate.model.severity import Severity
from obs.generate.model.slo import Slo

#: What a service can do; each brings signals, panels, alerts, tests and runbooks.
CAPABILITIES: tuple[str, ...] = (
    "alertmanager",
    "backups",
    "business",
    "cache",
    "collector",
    "database",
    "event_loop",
    "exceptions",
    "grpc",
    "http",
    "indexer",
    "jobs",
    "logs",
    "loki",
    "probes",
    "process",
    "prometheus",
    "queue",
    "resilience",
    "sdk",
    "security",
    "tasks",
    "tempo",
    "tls",
    "websocket",
)


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
    #: Last day on which it is switched off, for whoever checks the spec; what is generated knows no clock.
    until: dt.date | None = None
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
    #: Severity -> name of the receiver in Alertmanager, which begins with its kind.
    notify: Mapping[Severity, str]
    links: Links
    place: Place
    #: Name of the environment whose overlay is applied; None for the spec as it stands.
    environment: str | None = None
    grouping: Grouping = field(default_factory=Grouping)
    routing: Routing = field(default_factory=Routing)
    #: How it runs in Kubernetes; None: no objects are made for it.
    kubernetes: Kubernetes | None = None
    #: When pages are muted and events count for no objective.
    downtimes: tuple[Downtime, ...] = ()
    custom_alerts: tuple[CustomAlert, ...] = ()
    #: Id of a signal -> the team's own metric that plays its role.
    mapping: Mapping[str, MappedSignal] = field(default_factory=dict)
    owner: Owner = field(default_factory=Owner)
    #: Rows of panels below the generated ones.
    rows: tuple[ExtraRow, ...] = ()
    #: How far in the past its rules are evaluated, because its series come late; None: at once.
    query_offset: Duration | None = None
