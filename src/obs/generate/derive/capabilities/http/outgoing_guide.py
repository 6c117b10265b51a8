"""Runbooks of calls to others that fail or time out."""

from __future__ import annotations

from collections.abc import Sequence

from obs.catalogue.http import CLIENT_DURATION, CLIENT_REQUESTS, ERROR_TYPE, SERVER_ADDRESS
from obs.generate.derive.guidance.investigation import (
    error_lines,
    escalate,
    recent_change,
    roll_back,
    stays_below,
)
from obs.generate.derive.guidance.queries import Queries, look_back, percent, spell
from obs.generate.derive.guidance.references import ROLL_BACK
from obs.generate.model import Action, Alert, Runbook, Step


def client_error_ratio_high(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """HttpClientErrorRatioHigh: what this service calls does not work for it."""
    alert, name, window = alerts[0], ask.service.name, look_back(alerts[0])
    line = percent(alert.threshold.value)
    by = ask.by(CLIENT_REQUESTS, SERVER_ADDRESS.name)
    share = (
        f"sum {by} ({ask.failed_calls(window)}) / sum {by} (rate({ask.series(CLIENT_REQUESTS)}[{window}]))"
    )
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            f"More than {line} of the calls that {name} makes to one address have failed, counted over {spell(window)}. "
            "A call fails when it ends with an exception or with a status of 400 or above; the alert's label says "
            "which address it is."
        ),
        impact=(
            "What users ask for and needs that address fails or comes from a cache. Retries multiply the load on "
            "whatever is in trouble there, which can keep it down."
        ),
        diagnosis=(
            Step(
                "See which address fails, and what share of the calls to it.",
                (share,),
                (
                    ("one address fails", "go on with step 2 for that address."),
                    ("all addresses fail", "name resolution or the network of this service is broken: Mitigation 3."),
                ),
            ),
            _kinds(ask, window),
            recent_change(ask, 4),
            _calls_log(ask),
        ),
        mitigation=_mitigation(window),
        escalation=escalate(
            ask.service.team,
            urgent=alert.severity == "page",
            when="users see failures because of it",
        ),
        verification=(stays_below("The share of failed calls to each address", line, share, 1),),
    )  # fmt: skip


def dependency_timeouts(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """DependencyTimeouts: an address takes longer than this service waits."""
    alert, name, window = alerts[0], ask.service.name, look_back(alerts[0])
    address = ask.label(CLIENT_DURATION, SERVER_ADDRESS.name)
    late = ask.series(CLIENT_REQUESTS, (ERROR_TYPE.name, "=~", ".*[Tt]imeout.*"))
    count = f"sum by ({address}) (increase({late}[{window}]))"
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            f"More than {alert.threshold.value:f} calls of {name} to one address got no answer in time within "
            f"{spell(window)}. The address is down, overloaded, or too far away for the time that calls to it may take."
        ),
        impact=(
            "Each of these calls held a connection and a worker for the whole of its time limit. Enough of them at "
            "once and requests that need nothing from that address wait as well."
        ),
        diagnosis=(
            Step(
                "See which address does not answer.",
                (count,),
                (
                    ("one address", "go on with step 2 for that address."),
                    ("several at once", "the network between is at fault: Mitigation 3."),
                ),
            ),
            Step(
                "See how long answered calls to it take: the 99th percentile in seconds.",
                (ask.quantile("0.99", CLIENT_DURATION, window, address),),
                (
                    ("it rose with the timeouts", "the address is overloaded: tell its owner, then Mitigation 2."),
                    ("answered calls are fast", "some of its instances hang or are unreachable: tell its owner which."),
                    ("it was always near the time limit", "the limit is too short for that work: step 3."),
                ),
            ),
            recent_change(ask, 4),
            _calls_log(ask),
        ),
        mitigation=_mitigation(window),
        escalation=escalate(
            ask.service.team,
            urgent=alert.severity == "page",
            when="latency of this service's own requests rises with it",
        ),
        verification=(
            stays_below("The number of calls that time out", f"{alert.threshold.value:f}", count, 1),
        ),
    )  # fmt: skip


def _kinds(ask: Queries, window: str) -> Step:
    by = ask.by(CLIENT_REQUESTS, SERVER_ADDRESS.name, ERROR_TYPE.name)
    return Step(
        "See how the calls fail.",
        (f"sum {by} ({ask.failed_calls(window)})",),
        (
            ("a status of 500 or above", "the called service fails: open its runbook and tell its owner."),
            (
                "401 or 403",
                f"a credential expired or was taken away: renew it; if the use of it is new, {ROLL_BACK}.",
            ),
            ("404, 409 or 422", "it refuses what this service sends: one of the two was released; step 3."),
            ("exceptions about connections or names", "it cannot be reached from here: Mitigation 3."),
            ("timeouts", "it is too slow: follow DependencyTimeouts."),
        ),
    )


def _calls_log(ask: Queries) -> Step:
    return Step(
        "Read what this service logs about those calls, and open the trace of one of them.",
        outcomes=(
            ("the trace goes on in the called service", "its first red span is the cause: give it to the owner."),
            ("the trace ends at the call", "the request never arrived: the network, a proxy or a name is at fault."),
        ),
        logs=(error_lines(ask),),
    )  # fmt: skip


def _mitigation(window: str) -> tuple[Action, ...]:
    return (
        roll_back(spell(window)),
        Action(
            "Let calls to that address fail at once (open the circuit breaker), or switch off the feature that needs it.",
            "requests that do not need it are quick again, and the address gets room to recover.",
            f"1 minute, and {spell(window)} until the alert sees it.",
        ),
        Action(
            "The address cannot be reached: send calls to another replica or region of it, by name or by configuration.",
            "calls succeed again, perhaps a little slower.",
            "5 minutes, as long as names may be cached.",
        ),
    )
