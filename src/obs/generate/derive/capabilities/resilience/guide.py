"""Runbooks of open breakers and of retries."""

from __future__ import annotations

from collections.abc import Sequence

from obs.catalogue.resilience import (
    BREAKER_STATE,
    BREAKER_TRANSITIONS,
    CALLS,
    RETRIES,
    STATE,
    TARGET,
    TO,
)
from obs.generate.derive.guidance.investigation import (
    error_lines,
    escalate,
    recent_change,
    roll_back,
    stays_below,
)
from obs.generate.derive.guidance.queries import Queries, look_back, percent, spell
from obs.generate.model import Action, Alert, Runbook, Step

_NOW = "5m"


def breaker_open(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """CircuitBreakerOpen: a target is cut off."""
    alert, name = alerts[0], ask.service.name
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            f"A circuit breaker of {name} is open: so many calls to its target failed that it makes none for a while, then "
            "tries a few and opens again. The alert's label `target` says what is cut off."
        ),
        impact=(
            "Whatever needs the target fails at once or is served without it, as it was built to. That is the breaker "
            "doing its work: the trouble is behind it."
        ),
        diagnosis=_guarded(ask, _NOW),
        mitigation=_mitigation(_NOW),
        escalation=escalate(
            ask.service.team,
            urgent=alert.severity == "page",
            when="the target's owner does not know of it yet",
        ),
        verification=(stays_below("The number of breakers that are not closed", "1", _open(ask), 1),),
    )


def breaker_flapping(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """CircuitBreakerFlapping: a target recovers and fails in turn."""
    alert, name, window = alerts[0], ask.service.name, look_back(alerts[0])
    line, by = f"{alert.threshold.value:f}", ask.by(BREAKER_TRANSITIONS, TARGET.name)
    opened = f"sum {by} (increase({ask.series(BREAKER_TRANSITIONS, (TO.name, '=', 'open'))}[{window}]))"
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            f"Breakers of {name} for one target opened more than {line} times within {spell(window)}. The target works when "
            "it is tried and fails under load, or it fails just often enough to trip the breaker."
        ),
        impact="Users get errors in waves: some minutes of trouble, some minutes of calm, which is hard to see in averages.",
        diagnosis=_guarded(ask, window),
        mitigation=_mitigation(window),
        escalation=escalate(
            ask.service.team,
            urgent=alert.severity == "page",
            when="CircuitBreakerOpen fires as well",
        ),
        verification=(stays_below("The number of openings", line, opened, 1),),
    )


def retry_storm(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """RetryStorm: the service adds to the load of what is in trouble."""
    alert, name, window = alerts[0], ask.service.name, look_back(alerts[0])
    line = percent(alert.threshold.value)
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            f"More than {line} of the calls of {name} to one target repeat a failed one, counted over {spell(window)}. "
            "The target fails often, and each failure brings more calls."
        ),
        impact=(
            "A target that could recover with its ordinary load gets a multiple of it. Requests of this service take as "
            "long as all tries together."
        ),
        diagnosis=_guarded(ask, window),
        mitigation=_mitigation(window),
        escalation=escalate(
            ask.service.team,
            urgent=alert.severity == "page",
            when="the target's own alerts fire",
        ),
        verification=(stays_below("The share of retries", line, _retried(ask, window), 1),),
    )


def _open(ask: Queries) -> str:
    cut = ask.series(BREAKER_STATE, (STATE.name, "=~", "open|half_open"))
    return f"sum {ask.by(BREAKER_STATE, TARGET.name)} ({cut})"


def _retried(ask: Queries, window: str) -> str:
    by = ask.by(CALLS, TARGET.name)
    return (
        f"sum {by} (rate({ask.series(RETRIES)}[{window}])) / sum {by} (rate({ask.series(CALLS)}[{window}]))"
    )


def _guarded(ask: Queries, window: str) -> tuple[Step, ...]:
    """Steps from "calls are cut off or repeated" to the target, the network or this service."""
    by = ask.by(CALLS, TARGET.name)
    return (
        Step(
            "See which targets are cut off, in how many instances, and which are called again and again.",
            (_open(ask), _retried(ask, window)),
            (
                ("one target in all instances", "the target is in trouble: open its runbook and tell its owner; step 2."),
                ("one target in one instance", "that instance cannot reach it: restart it; then step 4."),
                ("several targets at once", "the network or names of this service are broken: step 4."),
            ),
        ),
        Step(
            "Compare the calls made a second with an hour ago.",
            (
                f"sum {by} (rate({ask.series(CALLS)}[{window}]))",
                f"sum {by} (rate({ask.series(CALLS)}[{window}] offset 1h))",
            ),
            (
                ("far more calls", "this service overloads the target: Mitigation 3."),
                ("as many or fewer", "the target fails at its ordinary load; go on with step 3."),
            ),
        ),
        recent_change(ask, 4),
        Step(
            "Read why the calls failed before the breaker opened.",
            outcomes=(
                ("timeouts", "the target is slow: its owner must know; Mitigation 2 meanwhile."),
                ("refused connections or unknown names", "it is down or moved: ask for its new address."),
                ("errors that the target means (4xx)", "they should not count for the breaker: repair that in the code."),
            ),
            logs=(error_lines(ask),),
        ),
    )  # fmt: skip


def _mitigation(window: str) -> tuple[Action, ...]:
    return (
        roll_back(spell(window)),
        Action(
            "Switch off the feature that needs the target, or serve it from a cache.",
            "users see less in place of errors, and the target is left alone.",
            "1 minute.",
        ),
        Action(
            "Allow fewer retries (one, with a longer pause), or fewer calls at once to that target.",
            "its load falls at once, and it can recover.",
            f"5 minutes, and {spell(window)} until the alert sees it.",
        ),
    )
