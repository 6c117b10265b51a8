"""Runbooks of telemetry that is lost on its way out of the service."""

from __future__ import annotations

from collections.abc import Sequence

from obs.catalogue.self import LOGS_DROPPED, LOGS_REASON, REASON, SPANS_DROPPED
from obs.generate.derive.guidance.investigation import escalate, recent_change, roll_back, stays_below
from obs.generate.derive.guidance.queries import Queries, look_back, spell
from obs.generate.model import Action, Alert, Runbook, Step


def spans_dropped(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """SdkSpansDropped: more spans than can be sent."""
    return _lost(
        alerts,
        ask,
        meaning=(
            f"obs in {ask.service.name} makes spans faster than it can send them, or their receiver refuses them, so some "
            "were dropped. The service itself is not held up: it never waits for telemetry."
        ),
        impact=(
            "Traces have holes, and a link from a panel or an alert may lead to a trace that is not there. Metrics, "
            "alerts and logs are not concerned."
        ),
    )


def export_failing(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """SdkExportFailing: the collector cannot be reached."""
    return _lost(
        alerts,
        ask,
        meaning=(
            f"obs in {ask.service.name} tried to send spans or log lines to the collector for as long as it may, then gave "
            "up on them. The collector is down, cannot be reached, or refuses the service's credentials."
        ),
        impact=(
            "Traces (and logs, where they are sent this way) of the service are missing for that time. An incident now "
            "has to be understood from metrics alone."
        ),
    )


def _lost(alerts: Sequence[Alert], ask: Queries, *, meaning: str, impact: str) -> Runbook:
    alert, window = alerts[0], look_back(alerts[0])
    spans = f"sum {ask.by(SPANS_DROPPED, REASON.name)} (increase({ask.series(SPANS_DROPPED)}[{window}]))"
    lines = f"sum {ask.by(LOGS_DROPPED, LOGS_REASON.name)} (increase({ask.series(LOGS_DROPPED)}[{window}]))"
    return Runbook(
        alerts=tuple(alerts),
        meaning=meaning,
        impact=impact,
        diagnosis=(
            Step(
                "See what is lost, and why.",
                (spans, lines),
                (
                    ("export_failed", "the collector cannot be reached: step 2."),
                    ("queue_full", "more is made than is sent: step 3."),
                    ("rejected", "the receiver refuses it: the log names the reason; step 4."),
                ),
            ),
            Step(
                "Ask the collector whether it is there, from the machine of the service.",
                outcomes=(
                    ("it does not answer", "it is down or the network is: Mitigation 2, and tell its owner."),
                    ("it answers 401 or 403", "the service's credentials are wrong: Mitigation 1 if they are new."),
                    ("it answers otherwise", "it is there but too slow: step 3."),
                ),
                commands=(
                    (
                        'curl --silent --show-error --max-time 5 --output /dev/null --write-out "%{http_code}\\n" '
                        '"${OTEL_EXPORTER_OTLP_ENDPOINT:?set it to the address of the collector}/v1/traces" --data ""'
                    ),
                ),
            ),
            recent_change(ask, 4),
            Step(
                "Read what obs logs about its exports.",
                outcomes=(
                    ("it names a refusal", "repair what it names: size, credentials, or a missing tenant."),
                    ("it names timeouts", "the collector is overloaded: tell its owner."),
                    ("nothing", "the queue is too small for the peaks of the service: Mitigation 3."),
                ),
                logs=(f'{ask.stream()} | logger =~ "obs.*" | level =~ "warning|error"',),
            ),
        ),
        mitigation=(
            roll_back(spell(window)),
            Action(
                "The collector is down: start it.",
                "exports succeed within seconds; what was given up is not sent again.",
                "1 minute.",
            ),
            Action(
                "The service makes too many spans: leave health checks out, or lower its sampling ratio.",
                "the queue has room again; traces are fewer but whole.",
                "5 minutes, with a restart.",
            ),
        ),
        escalation=escalate(
            ask.service.team,
            urgent=alert.severity == "page",
            when="an incident is going on and its traces are needed",
        ),
        verification=(stays_below("The number of lost spans", "1", spans, 1),),
    )  # fmt: skip
