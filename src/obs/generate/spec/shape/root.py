"""The keys of a spec itself, and those of an environment."""

from __future__ import annotations

from obs.catalogue import DIALECTS
from obs.generate.model import CAPABILITIES, SEVERITIES
from obs.generate.spec.names import NAME
from obs.generate.spec.shape.alerts import ALERTS, CUSTOM_ALERTS, DOWNTIMES, JOBS
from obs.generate.spec.shape.dashboard import DASHBOARD
from obs.generate.spec.shape.identity import OWNERS, SELECT, SERVICE, TELEMETRY
from obs.generate.spec.shape.kinds import Choice, Items, Key, Line, Section, Span, Table
from obs.generate.spec.shape.objectives import SLOS
from obs.generate.spec.shape.routing import GROUPING, KUBERNETES, LINKS, NOTIFY
from obs.generate.spec.shape.signals import MAPPING

VERSION = "obs/v1"
DEFAULT_CAPABILITIES = ("http", "process", "sdk")

#: What an environment may say something else about: laid upon the spec's own, mapping by mapping.
_OVERLAID = (
    Key("telemetry", TELEMETRY, "How its metrics are scraped."),
    Key("slos", SLOS, "What it promises."),
    Key("alerts", ALERTS, "What is changed about the alerts of obs, by alert."),
    Key("custom_alerts", CUSTOM_ALERTS, "Alerts of your own, with their tests and runbooks."),
    Key("jobs", JOBS, "Scheduled work, by the name that the service counts it under."),
    Key(
        "downtime",
        DOWNTIMES,
        "Planned windows in UTC, in which pages are muted and events count for no objective.",
    ),
    Key("notify", NOTIFY, "Who hears of alerts."),
    Key("grouping", GROUPING, "How long notifications wait."),
    Key("links", LINKS, "Where links lead."),
    Key("kubernetes", KUBERNETES, "Makes objects of the Prometheus operator, too."),
)
ENVIRONMENT = Section(
    (
        SELECT,
        Key(
            "severity",
            Table("SEVERITY", Choice(tuple(SEVERITIES)), known=tuple(SEVERITIES)),
            "What becomes of each severity here.",
            example="{page: ticket}",
        ),
        Key(
            "interval",
            Span(),
            "How often rules are evaluated.",
            default="15s, or the scrape interval where that is longer",
            example="30s",
        ),
        *_OVERLAID,
    )
)
SPEC = Section(
    (
        Key("version", Choice((VERSION,)), "Version of the form.", True, example=VERSION),
        Key(
            "extends",
            Items(Line("a file beside this one"), alone=True),
            "Specs that this one is laid upon, the later above the earlier.",
            example="./defaults.yml",
        ),
        Key("service", SERVICE, "What it is called and whose it is.", True),
        Key("owners", OWNERS, "How the team is reached."),
        Key(
            "contract",
            Line("a contract, or none"),
            "File of `obs catalogue export`; `none`: only what `mapping` names exists.",
            default="the bundled catalogue",
            example="./shop.contract.json",
        ),
        Key("dialect", Choice(tuple(DIALECTS)), "Names of the metrics.", default="otel", example="classic"),
        Key("mapping", MAPPING, "Your own metrics in the roles of signals."),
        Key(
            "capabilities",
            Items(Choice(CAPABILITIES)),
            "What the service can do; each brings panels, alerts, tests and runbooks.",
            default=f"[{', '.join(DEFAULT_CAPABILITIES)}]",
            example="[http, database]",
        ),
        *_OVERLAID,
        Key("dashboard", DASHBOARD, "Panels of your own."),
        Key("environments", Table("ENVIRONMENT", ENVIRONMENT, NAME), "What differs by environment."),
    )
)
