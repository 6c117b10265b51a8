"""Keys that say what a service is called, who answers for it, and where its series are."""

from __future__ import annotations

import re

from obs.generate.spec.names import LABEL, NAME, SAFE, URL
from obs.generate.spec.shape.kinds import Choice, Items, Key, Line, Section, Span, Table

CHAT = re.compile(r"[#@]?[\w.-]{1,80}\Z")
EMAIL = re.compile(r"[^\s@,;<>]+@[^\s@,;<>]+\Z")
DEFAULT_TIER = "standard"
#: How metrics reach Prometheus.
PATHS = ("scrape",)

ADDRESS = Line("an address that starts with https:// or http://", URL)
PLAIN_NAME = Line("letters, digits, - and _, a letter first", NAME)
LABELS = Table("LABEL", Line("a value of a label", SAFE), LABEL)

SERVICE = Section(
    (
        Key(
            "name",
            PLAIN_NAME,
            "Name of the service; label `service` of its targets.",
            True,
            example="checkout",
        ),
        Key(
            "team",
            PLAIN_NAME,
            "Whom its alerts go to; label `team` of every alert.",
            True,
            example="payments",
        ),
        Key(
            "tier",
            PLAIN_NAME,
            "How much depends on it; routes may differ by tier.",
            default=DEFAULT_TIER,
            example="critical",
        ),
    )
)
OWNERS = Section(
    (
        Key(
            "chat",
            Line("a channel such as #payments", CHAT),
            "Channel where the team is found.",
            example='"#payments"',
        ),
        Key(
            "email",
            Line("an address such as team@example.com", EMAIL),
            "The team's address.",
            example="payments@example.com",
        ),
        Key("rota", ADDRESS, "Page that says who is on call.", example="https://rota.example.com/payments"),
        Key(
            "escalation",
            Items(Line()),
            "Whom to call next, in this order; stands in every runbook.",
            example="[the duty manager]",
        ),
    )
)
SELECT = Key(
    "select", LABELS, "Labels, besides `service`, that pick the service's series.", example="{region: eu}"
)
TELEMETRY = Section(
    (
        Key(
            "path",
            Choice(PATHS),
            "How metrics reach Prometheus.",
            default="scrape",
            example="scrape",
        ),
        Key(
            "interval",
            Span(),
            "How often the service is scraped; windows are held against it.",
            default="15s",
            example="30s",
        ),
        Key(
            "query_offset",
            Span(zero=True),
            "How far in the past its rules are evaluated, for series that come late (remote write); whole "
            "seconds, at most 30m. Prometheus knows it from 2.53 on; an older one refuses the whole rule file.",
            default="0s",
            example="30s",
        ),
        SELECT,
    )
)
