"""Whom alerts are sent to, when, and where their links lead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from obs.generate.model.place import Duration, Place

#: What can take a notification; the name of a receiver is one of these, a dash and a name.
RECEIVER_KINDS: tuple[str, ...] = ("email", "opsgenie", "pagerduty", "slack", "teams", "webhook")
#: The oldest Alertmanager that a configuration is written for, (major, minor).
ALERTMANAGER_FLOOR = (0, 25)
WEEKDAYS: tuple[str, ...] = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")


@dataclass(frozen=True, slots=True)
class Links:
    """Base addresses, without a trailing slash, and the uids of Grafana's data sources for Explore."""

    runbooks: str = "http://127.0.0.1:8085/runbooks"
    grafana: str = "http://127.0.0.1:3000"
    prometheus: str = "http://127.0.0.1:9090"
    alertmanager: str = "http://127.0.0.1:9093"
    #: Address of every receiver of the kind webhook; empty when each address is a secret file.
    webhook: str = ""
    logs: str = "loki"
    traces: str = "tempo"


_HALF_A_MINUTE, _FIVE_MINUTES, _FOUR_HOURS = Duration(30_000), Duration(300_000), Duration(14_400_000)


@dataclass(frozen=True, slots=True)
class Grouping:
    """How long Alertmanager gathers the alerts of one group before it tells anyone, and again."""

    wait: Duration = _HALF_A_MINUTE
    interval: Duration = _FIVE_MINUTES
    #: When a page that goes on is sent again; a ticket waits six times as long.
    repeat: Duration = _FOUR_HOURS


@dataclass(frozen=True, slots=True)
class Hours:
    """When people work: days of the week, from `start` to `end` (``09:00``, ``24:00``) in an IANA time zone."""

    days: tuple[str, ...]
    start: str
    end: str
    zone: str


@dataclass(frozen=True, slots=True)
class Routing:
    """What a spec says of notifications besides the receivers of each severity."""

    #: When tickets are sent; None sends them at any time.
    hours: Hours | None = None
    #: Receiver of the heartbeat: the dead-man's switch outside of this stack; "" for none.
    heartbeat: str = ""
    #: Receiver -> its settings that are no secret.
    receivers: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    #: The oldest Alertmanager that must read the configuration, (major, minor).
    alertmanager: tuple[int, int] = ALERTMANAGER_FLOOR
    #: Directory of the receivers' secrets, one file a receiver; as compose and Docker mount them.
    secrets: str = "/run/secrets"
    #: Where a spec says so, for what two specs disagree about.
    place: Place | None = None
