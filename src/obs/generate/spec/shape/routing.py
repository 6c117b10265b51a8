"""Keys that say who hears of an alert, where links lead, and how a service runs in Kubernetes."""

from __future__ import annotations

import re
from collections.abc import Mapping

from obs.generate.model import (
    ALERTMANAGER_FLOOR,
    RECEIVER_KINDS,
    SEVERITIES,
    WEEKDAYS,
    Grouping,
    Kubernetes,
    Links,
    Routing,
)
from obs.generate.spec.names import NAME
from obs.generate.spec.shape.identity import ADDRESS
from obs.generate.spec.shape.kinds import Choice, Either, Items, Key, Kind, Line, Section, Span, Table

#: Words that lift what a file below has set: hours, the receiver of the heartbeat.
ANY_TIME, NOBODY = "any", "nobody"
TIME = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d\Z|24:00\Z")
ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+)*\Z")
UID = re.compile(r"[A-Za-z0-9_-]{1,40}\Z")
ADDRESSES = re.compile(r"[^\s@,;]+@[^\s@,;]+(?:, ?[^\s@,;]+@[^\s@,;]+)*\Z")
HOST = re.compile(r"[A-Za-z0-9.-]+:\d{1,5}\Z")
VERSION = re.compile(r"(\d{1,3})\.(\d{1,3})(?:\.\d{1,3})?\Z")
#: RFC 1123, as Kubernetes names namespaces and ports.
OBJECT_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\Z")
OBJECT_KEY = re.compile(
    r"(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?\Z"
)
OBJECT_VALUE = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?\Z")
URL_PATH = re.compile(r"/[A-Za-z0-9_./-]*\Z")

_RECEIVER = Line(
    f"the name of a receiver, which begins with its kind: {', '.join(RECEIVER_KINDS)}",
    re.compile(rf"(?:{'|'.join(RECEIVER_KINDS)})-[A-Za-z0-9_-]+\Z"),
)
_DAY = "|".join(WEEKDAYS)
_DAYS = Items(
    Line("a day, or a range such as monday:friday", re.compile(rf"(?:{_DAY})(?::(?:{_DAY}))?\Z")), alone=True
)
_TIME = Line("a time such as 09:00", TIME)
_SEVERITY_HELP: Mapping[str, str] = {
    "page": "Who is woken.",
    "ticket": "Where what waits for working hours goes.",
    "none": "Where the rest goes.",
}
_BY_SEVERITY = tuple(
    Key(severity, _RECEIVER, _SEVERITY_HELP[severity], example=f"slack-{severity}") for severity in SEVERITIES
)
HOURS = Section(
    (
        Key("days", _DAYS, "Working days.", default="monday:friday", example="monday:friday"),
        Key("from", _TIME, "Start of a working day.", True, example='"09:00"'),
        Key("to", _TIME, "End of it.", True, example='"17:00"'),
        Key(
            "zone",
            Line("a time zone such as Europe/Berlin", ZONE),
            "Where the clock hangs.",
            True,
            example="Europe/Berlin",
        ),
    )
)
#: Setting of a receiver that is no secret -> what it is.
_SETTINGS: Mapping[str, tuple[Kind, str]] = {
    "to": (Line("an address such as team@example.com", ADDRESSES), "email: whom it goes to."),
    "from": (Line("an address such as team@example.com", ADDRESSES), "email: whom it comes from."),
    "smarthost": (Line("host and port such as smtp.example.com:587", HOST), "email: the server."),
    "username": (Line(), "email: the account."),
    "url": (ADDRESS, "opsgenie, pagerduty, webhook: the address."),
    "channel": (Line(), "slack: the channel."),
}
RECEIVER = Section(tuple(Key(name, kind, help_) for name, (kind, help_) in _SETTINGS.items()))
NOTIFY = Section(
    (
        *_BY_SEVERITY,
        Key(
            "heartbeat",
            Either((Choice((NOBODY,)), _RECEIVER)),
            f"The dead-man's switch; `{NOBODY}` lifts what a file below has set.",
            example="webhook-heartbeat",
        ),
        Key(
            "hours",
            Either((Choice((ANY_TIME,)), HOURS)),
            f"When tickets are sent; `{ANY_TIME}` lifts what a file below has set.",
            default=ANY_TIME,
        ),
        Key(
            "tiers",
            Table("TIER", Section(_BY_SEVERITY), NAME),
            "Receivers of a tier, which win over those beside it.",
            example="{critical: {page: pagerduty-now}}",
        ),
        Key(
            "receivers",
            Table("RECEIVER", RECEIVER, _RECEIVER.pattern),
            "Settings of receivers that are no secret.",
        ),
        Key(
            "alertmanager",
            Line("a version such as 0.28", VERSION),
            "The oldest Alertmanager that reads the configuration.",
            default=".".join(map(str, ALERTMANAGER_FLOOR)),
            example='"0.28"',
        ),
        Key(
            "secrets",
            Line("an absolute directory", re.compile(r"/.*\Z")),
            "Directory of the secret files of Alertmanager.",
            default=Routing().secrets,
            example="/etc/alertmanager/secrets",
        ),
    )
)
GROUPING = Section(
    (
        Key(
            "wait",
            Span(zero=True),
            "How long the alerts of a group are gathered.",
            default=str(Grouping().wait),
            example="10s",
        ),
        Key(
            "interval",
            Span(),
            "How long until a group that has grown is told again.",
            default=str(Grouping().interval),
            example="5m",
        ),
        Key(
            "repeat",
            Span(),
            "How long until a page that goes on is sent again; a ticket waits six times as long.",
            default=str(Grouping().repeat),
            example="4h",
        ),
    )
)
_UID = Line("the uid of a data source in Grafana", UID)
LINKS = Section(
    (
        Key(
            "runbooks",
            ADDRESS,
            "Where the runbooks are published.",
            default=Links().runbooks,
            example="https://runbooks.example.com",
        ),
        Key("grafana", ADDRESS, "Grafana.", default=Links().grafana, example="https://grafana.example.com"),
        Key(
            "prometheus",
            ADDRESS,
            "Prometheus.",
            default=Links().prometheus,
            example="https://prometheus.example.com",
        ),
        Key(
            "alertmanager",
            ADDRESS,
            "Alertmanager.",
            default=Links().alertmanager,
            example="https://alerts.example.com",
        ),
        Key(
            "webhook",
            ADDRESS,
            "Address of every receiver of the kind webhook; without it each is a secret file.",
            example="https://notify.example.com",
        ),
        Key("logs", _UID, "Uid of the data source for logs.", default=Links().logs, example="loki"),
        Key("traces", _UID, "Uid of the data source for traces.", default=Links().traces, example="tempo"),
    )
)
_STANDARD = Kubernetes("")
_OBJECT_LABELS = Table("LABEL", Line("the value of a label of Kubernetes", OBJECT_VALUE), OBJECT_KEY)
KUBERNETES = Section(
    (
        Key(
            "namespace", Line("a namespace", OBJECT_NAME), "Where the objects go.", True, example="monitoring"
        ),
        Key(
            "labels",
            _OBJECT_LABELS,
            "Labels of the objects, by which the operator finds them.",
            example="{release: prometheus}",
        ),
        Key(
            "selector",
            _OBJECT_LABELS,
            "Labels of the service whose pods are scraped.",
            example="{app: checkout}",
        ),
        Key("targets", Items(Line("a namespace", OBJECT_NAME)), "Namespaces of the pods.", example="[shop]"),
        Key(
            "port",
            Line("the name of a port", OBJECT_NAME),
            "Port that serves metrics.",
            default=_STANDARD.port,
            example="metrics",
        ),
        Key(
            "path",
            Line("a path such as /metrics", URL_PATH),
            "Path of the metrics.",
            default=_STANDARD.path,
            example="/metrics",
        ),
        Key(
            "dashboards",
            _OBJECT_LABELS,
            "Labels by which Grafana finds dashboards.",
            example='{grafana_dashboard: "1"}',
        ),
    )
)
