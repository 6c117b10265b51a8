"""Keys of alerts: what is changed about those of obs, those of one's own, jobs, and planned downtime."""

from __future__ import annotations

import re

from obs.generate.model import SEVERITIES, WEEKDAYS
from obs.generate.spec.names import JOB_NAME, LABEL, NAME, SAFE
from obs.generate.spec.shape.identity import PLAIN_NAME
from obs.generate.spec.shape.kinds import (
    Choice,
    Items,
    Key,
    Line,
    Number,
    Reason,
    Section,
    Span,
    Table,
    Text,
    Whole,
)

#: Camel case, as the alerts of obs are called: the name is a file name and a part of links.
CUSTOM_NAME = re.compile(r"[A-Z][A-Za-z0-9]{2,62}\Z")
DATE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}\Z")
CLOCK = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)\Z")
DEFAULT_CATEGORY = "custom"
#: More days than this by name are a rule, and belong into `days`.
MOST_DATES = 100

_DATE = Line("a date such as 2026-12-31", DATE)
_INSTANTS = Items(Span(zero=True), least=1, alone=True)
_TIME = Line("a time of day in UTC such as 02:30", CLOCK)
_DISABLED = Key(
    "disabled", Reason(), "Switches it off; the reason, in words.", example='"nobody calls it at night"'
)
_SEVERITY = Choice(tuple(SEVERITIES))

TUNING = Section(
    (
        Key(
            "threshold",
            Number(),
            "Value beyond which it fires; a ratio from 0 to 1, or in the unit of its signal.",
            example="0.05",
        ),
        Key("window", Span(), "How far it looks back; at least four scrapes.", example="10m"),
        Key("for", Span(zero=True), "How long it must hold before it fires.", example="5m"),
        Key("severity", _SEVERITY, "How urgent it is.", example="ticket"),
        _DISABLED,
        Key(
            "until",
            _DATE,
            "Last day on which it is switched off; `obs spec check` reminds of it.",
            example="2027-01-31",
        ),
    ),
    any_of=("threshold", "window", "for", "severity", "disabled", "until"),
    needs=(("until", "disabled"),),
)
TEST = Section(
    (
        Key("name", Line(), "What it shows.", default="test N", example="many are denied"),
        Key("interval", Span(), "Distance between two values.", default="1m", example="30s"),
        Key(
            "series",
            Table("SELECTOR", Line("values in promtool's notation")),
            "Series by selector.",
            True,
            example="{'x_total{ok=\"no\"}': 0+60x30}",
        ),
        Key("silent_at", _INSTANTS, "When nothing is there.", example="[0m, 5m]"),
        Key("pending_at", _INSTANTS, "When it waits.", example="8m"),
        Key("fires_at", _INSTANTS, "When it fires.", example="25m"),
        Key("count", Whole(1, 1000), "Alerts that are there at once.", default="1", example="2"),
    ),
    any_of=("silent_at", "pending_at", "fires_at"),
)
CUSTOM_ALERT = Section(
    (
        Key(
            "expr",
            Text("PromQL"),
            "Fires while it yields anything; narrowed to the service's series.",
            True,
            example="sum by (service) (rate(x_total[10m])) > 5",
        ),
        Key("for", Span(zero=True), "How long it must hold.", default="0s", example="5m"),
        Key("keep_firing_for", Span(), "How long it goes on after it has ended.", example="10m"),
        Key("severity", _SEVERITY, "How urgent it is.", True, example="page"),
        Key("category", PLAIN_NAME, "Label `category`.", default=DEFAULT_CATEGORY, example="business"),
        Key(
            "summary",
            Line(),
            "One line for who is called.",
            default="made of the name",
            example='"{{ $labels.service }}: logins are denied"',
        ),
        Key("description", Text(), "More of it.", default="the summary"),
        Key(
            "labels",
            Table("LABEL", Line("a value of a label", SAFE), LABEL),
            "Further labels.",
            example="{product: login}",
        ),
        Key("unit", Line("a unit of Grafana"), "Unit of its panel.", default="short", example="s"),
        Key(
            "tests",
            Items(TEST, least=1),
            "Stories with what is to come of them; at least one fires and one is silent.",
            True,
        ),
        Key(
            "runbook",
            Line("a Markdown file"),
            "With the headings Meaning, Impact, Diagnosis and Mitigation.",
            True,
            example="./runbooks/BasketAbandoned.md",
        ),
        _DISABLED,
    )
)
JOB = Section(
    (
        Key("schedule", Span(), "From one run to the next.", True, example="24h"),
        Key("grace", Span(zero=True), "How late a success may be.", True, example="2h"),
    )
)
DOWNTIME = Section(
    (
        Key("days", Items(Choice(WEEKDAYS), least=1), "Days of every week.", example="[sunday]"),
        Key("dates", Items(_DATE, 1, MOST_DATES), "Days by date.", example="[2026-12-31]"),
        Key("from", _TIME, "First minute.", True, example='"02:00"'),
        Key("to", _TIME, "End, of the same day.", True, example='"04:00"'),
        Key("reason", Reason(), "Why, in words.", True, example='"monthly patching"'),
    ),
    one_of=(("days", "dates"),),
)
ALERTS = Table("ALERT", TUNING, defined="alert", closed=True)
CUSTOM_ALERTS = Table("ALERT", CUSTOM_ALERT, CUSTOM_NAME)
JOBS = Table("JOB", JOB, JOB_NAME)
DOWNTIMES = Table("NAME", DOWNTIME, NAME)
