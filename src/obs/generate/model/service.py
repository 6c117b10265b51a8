"""What a spec says: one service, the overlay of an environment applied."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, TypeAlias

from obs.catalogue import Dialect, Registry
from obs.generate.model.place import Duration, Place

Severity: TypeAlias = Literal["page", "ticket", "none"]
SEVERITIES: tuple[Severity, ...] = ("page", "ticket", "none")
#: What a service can do; each brings signals, panels, alerts, tests and runbooks.
CAPABILITIES: tuple[str, ...] = ("http", "jobs", "process")

#: What can take a notification; the name of a receiver is one of these, a dash and a name.
RECEIVER_KINDS: tuple[str, ...] = ("opsgenie", "pagerduty", "slack", "webhook")


@dataclass(frozen=True, slots=True)
class Links:
    """Base addresses, without a trailing slash."""

    runbooks: str = "http://127.0.0.1:8085/runbooks"
    grafana: str = "http://127.0.0.1:3000"
    prometheus: str = "http://127.0.0.1:9090"
    alertmanager: str = "http://127.0.0.1:9093"
    #: Address of every receiver of the kind webhook; empty when each address is a secret file.
    webhook: str = ""


_HALF_A_MINUTE, _FIVE_MINUTES, _FOUR_HOURS = Duration(30_000), Duration(300_000), Duration(14_400_000)


@dataclass(frozen=True, slots=True)
class Grouping:
    """How long Alertmanager gathers the alerts of one group before it tells anyone, and again."""

    wait: Duration = _HALF_A_MINUTE
    interval: Duration = _FIVE_MINUTES
    #: When a page that goes on is sent again; a ticket waits six times as long.
    repeat: Duration = _FOUR_HOURS


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
    #: Severity -> name of the receiver in Alertmanager, which begins with its kind.
    notify: Mapping[Severity, str]
    links: Links
    place: Place
    #: Name of the environment whose overlay is applied; None for the spec as it stands.
    environment: str | None = None
    grouping: Grouping = Grouping()
