"""Runbook of websocket connections that end badly."""

from __future__ import annotations

from collections.abc import Sequence

from obs.catalogue.http import ROUTE
from obs.catalogue.websocket import ACTIVE, CONNECTIONS, RESULT
from obs.generate.derive.guidance.investigation import (
    escalate,
    read_errors,
    recent_change,
    roll_back,
    stays_below,
    take_out,
)
from obs.generate.derive.guidance.queries import Queries, look_back, percent, spell
from obs.generate.model import Action, Alert, Runbook, Step


def failure_ratio_high(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """WebsocketFailureRatioHigh: connections break from our side."""
    alert, name, window = alerts[0], ask.service.name, look_back(alerts[0])
    line = percent(alert.threshold.value)
    failed = f"rate({ask.series(CONNECTIONS, (RESULT.name, '=', 'failed'))}[{window}])"
    share = f"sum by (service) ({failed}) / sum by (service) (rate({ask.series(CONNECTIONS)}[{window}]))"
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            f"More than {line} of the websocket connections of {name} that ended over {spell(window)} ended because the "
            "service raised or said that it failed (close codes 1011 to 1014), and not because the client left."
        ),
        impact="Users lose their live view and reconnect all at once, which is a peak of new connections and sign-ins.",
        diagnosis=(
            Step(
                "Find the routes that fail, and how many connections are open now.",
                (
                    f"topk(5, sum {ask.by(CONNECTIONS, ROUTE.name)} ({failed}))",
                    f"sum by (instance) ({ask.series(ACTIVE)})",
                ),
                (
                    ("one route", "its handler is at fault: step 4 shows the exception."),
                    ("all routes", "something they share is: step 2."),
                ),
            ),
            Step(
                "See whether one instance fails or all of them.",
                (f"sum by (instance) ({failed})",),
                (
                    ("one instance", "take it out of rotation: Mitigation 2."),
                    ("all alike", "go on with step 3."),
                ),
            ),
            recent_change(ask, 4),
            read_errors(ask),
        ),
        mitigation=(
            roll_back(spell(window)),
            take_out(spell(window)),
            Action(
                "Reconnecting clients overload the service: let the proxy admit only so many new connections a second.",
                "those who are connected stay; the others come back over some minutes.",
                "5 minutes.",
            ),
        ),
        escalation=escalate(
            ask.service.team,
            urgent=alert.severity == "page",
            when="nobody can stay connected",
        ),
        verification=(stays_below("The share of failed connections", line, share, 1),),
    )  # fmt: skip
