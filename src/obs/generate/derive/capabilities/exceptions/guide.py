"""Runbook of exceptions that nobody handled."""

from __future__ import annotations

from collections.abc import Sequence

from obs.catalogue.exceptions import MECHANISM, UNHANDLED
from obs.catalogue.process import START_TIME
from obs.generate.derive.guidance.investigation import escalate, recent_change, roll_back, stays_below
from obs.generate.derive.guidance.queries import Queries, look_back, spell
from obs.generate.model import Action, Alert, Runbook, Step


def unhandled(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """UnhandledExceptions: something in the background has died."""
    alert, name, window = alerts[0], ask.service.name, look_back(alerts[0])
    count = f"sum {ask.by(UNHANDLED, MECHANISM.name)} (increase({ask.series(UNHANDLED)}[{window}]))"
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            f"An exception in {name} was handled by nobody: a thread ended with it, a background task of the event loop "
            "was never awaited, or the program itself died of it. Requests, jobs and tasks have alerts of their own."
        ),
        impact=(
            "Whatever that thread or background task did is not done any more, while the process looks healthy: a "
            "refresh, a consumer or a heartbeat may be missing until the next restart."
        ),
        diagnosis=(
            Step(
                "See where the exceptions surfaced, and how many there were.",
                (count,),
                (
                    ("thread or asyncio", "something in the background ended; go on with step 2."),
                    ("main", "the process died of it: look for restarts in step 3."),
                    ("unraisable", "an object could not clean up: harmless alone, a leak when it goes on."),
                ),
            ),
            Step(
                "Read the exception with its stack, and the error report of the same time.",
                outcomes=(
                    ("the stack names a loop of the service", "it does not run any more: Mitigation 2."),
                    ("the stack names a library", "look for its version in the last release; go on with step 3."),
                ),
                logs=(f'{ask.stream()} | level =~ "error|critical" |= "Traceback"',),
            ),
            recent_change(ask, 4),
            Step(
                "See in which instances it happened, and whether they restarted.",
                (
                    f"sum by (instance) (increase({ask.series(UNHANDLED)}[{window}]))",
                    f"sum by (instance) (changes({ask.series(START_TIME)}[1h]))",
                ),
                (
                    ("one instance", "restart it: Mitigation 2."),
                    ("all instances", "they share the cause: input, configuration or a dependency; then Mitigation 1."),
                ),
            ),
        ),
        mitigation=(
            roll_back(spell(window)),
            Action(
                "Restart the instances in which it happened, one by one.",
                "what ran in the background runs again, until the cause comes back.",
                "1 to 2 minutes for each instance.",
            ),
            Action(
                "One input is at fault: put it aside, and keep it for the owner.",
                "the background work goes on with the rest.",
                "5 minutes.",
            ),
        ),
        escalation=escalate(
            ask.service.team,
            urgent=alert.severity == "page",
            when="it comes back after a restart",
        ),
        verification=(stays_below("The number of unhandled exceptions", "1", count, 1),),
    )  # fmt: skip
