"""Runbook of an SLI without data."""

from __future__ import annotations

from collections.abc import Sequence

from obs.catalogue.target import UP
from obs.generate.derive.guidance.investigation import escalate, recent_change, roll_back
from obs.generate.derive.guidance.queries import Queries
from obs.generate.model import Action, Alert, Runbook, Step


def sli_absent(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """SliMetricAbsent: an SLO has nothing to judge by."""
    name = ask.service.name
    slos = ", ".join(dict.fromkeys(alert.slo for alert in alerts if alert.slo))
    up = ask.series(UP)
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            f"The series that an SLO of {name} ({slos}) counts by have not existed for {alerts[0].window.words}. An SLO without data neither "
            "burns nor recovers: its burn alerts cannot fire, whatever happens to users."
        ),
        impact=(
            "Users may be fine or may not: nobody can tell. The time without data is missing from the month's report."
        ),
        diagnosis=(
            Step(
                "See whether the service is scraped at all.",
                (up,),
                (
                    ("it is down or the answer is empty", "follow TargetDown of this service."),
                    ("it is up", "the series were renamed or never appeared; go on with step 2."),
                ),
            ),
            recent_change(ask, 3),
            Step(
                "Look at what the service exposes, and compare it with the contract that the rules were made from.",
                outcomes=(
                    (
                        "the metric has another name or other labels",
                        "release and rules disagree: Mitigation 1 or 2.",
                    ),
                    (
                        "the metric is missing",
                        "its instrumentation is off: look for `obs` warnings at start.",
                    ),
                    (
                        "the metric is there",
                        "no request has come since the start: send one, then wait a scrape.",
                    ),
                ),
                logs=(f'{ask.stream()} | level =~ "warning|error|critical"',),
                commands=("obs catalogue list", "obs generate specs --out . --check"),
            ),
        ),
        mitigation=(
            roll_back("one scrape"),
            Action(
                "The metric was renamed on purpose: export the new contract, generate the rules again and reload "
                "Prometheus.",
                "the SLO counts again from now on.",
                "10 minutes.",
            ),
            Action(
                "The service is switched off on purpose: remove it from the specs, and generate again.",
                "the alert disappears with its SLO.",
                "10 minutes.",
            ),
        ),
        escalation=escalate(
            ask.service.team,
            urgent=alerts[0].severity == "page",
            when="users report trouble while the SLO is blind",
        ),
        verification=(
            Step(
                "The service is scraped, and the expression of this alert gives no result.",
                (up, *(alert.expr for alert in alerts)),
                (
                    ("the answer is empty", "the SLI has data again and the alert ends."),
                    ("a result remains", "the series are still absent: go on with Diagnosis 3."),
                ),
            ),
        ),
    )
