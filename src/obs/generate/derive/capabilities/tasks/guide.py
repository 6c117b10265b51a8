"""Runbooks of tasks that fail or wait."""

from __future__ import annotations

from collections.abc import Sequence

from obs.catalogue.target import UP
from obs.catalogue.tasks import ACTIVE, DURATION, OUTCOME, PUBLISHED, QUEUE_TIME, RUNS, TASK
from obs.generate.derive.capabilities.tasks.alerts import LOST
from obs.generate.derive.guidance.investigation import (
    error_lines,
    escalate,
    recent_change,
    roll_back,
    stays_below,
)
from obs.generate.derive.guidance.queries import Queries, look_back, percent, seconds, spell
from obs.generate.model import Action, Alert, Runbook, Step


def failure_ratio_high(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """TaskFailureRatioHigh: runs end badly."""
    alert, name, window = alerts[0], ask.service.name, look_back(alerts[0])
    line, task = percent(alert.threshold.value), ask.label(RUNS, TASK.name)
    runs = f"sum by ({task}) (rate({ask.series(RUNS)}[{window}]))"
    lost = f"sum by ({task}) (rate({ask.series(RUNS, (OUTCOME.name, '=~', '|'.join(LOST)))}[{window}]))"
    outcomes = f"sum {ask.by(RUNS, TASK.name, OUTCOME.name)} (rate({ask.series(RUNS)}[{window}]))"
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            f"More than {line} of the runs of a task of {name} have failed or were rejected over {spell(window)}. Retries "
            "are runs of their own and count as neither, so these are runs that nobody will repeat."
        ),
        impact="What those runs should have done has not happened. Whoever waits for their result gets an error, or nothing.",
        diagnosis=(
            Step(
                "See which tasks fail, and how their runs end.",
                (f"{lost} / {runs}", outcomes),
                (
                    ("one task fails", "its own code, input or dependency is at fault; go on with step 2."),
                    ("all tasks fail", "the worker, the broker or the result store is: step 3."),
                    ("many retries as well", "a dependency fails most of the time: step 2 names it."),
                ),
            ),
            Step(
                "Read the errors of that task, the newest first.",
                outcomes=(
                    ("the same input fails each time", "revoke it and keep it for the owner: Mitigation 2."),
                    ("it cannot reach something", "that is the cause: open its runbook, then Mitigation 3."),
                    ("runs end at a time limit", "go on with step 4."),
                ),
                logs=(error_lines(ask),),
            ),
            recent_change(ask, 4),
            Step(
                "See how long runs take: the 95th percentile in seconds.",
                (ask.quantile("0.95", DURATION, window, ask.label(DURATION, TASK.name)),),
                (
                    ("near the time limit of the task", "there is more to do or a dependency is slow: Mitigation 3."),
                    ("they fail at once", "configuration or a credential is wrong: compare the last release."),
                ),
            ),
        ),
        mitigation=_mitigation(window),
        escalation=escalate(
            ask.service.team,
            urgent=alert.severity == "page",
            when="the lost runs moved money or cannot be repeated",
        ),
        verification=(stays_below("The share of runs that fail", line, f"{lost} / {runs}", 1),),
    )  # fmt: skip


def waits_long(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """TaskWaitsLong: tasks start late."""
    alert, name, window = alerts[0], ask.service.name, look_back(alerts[0])
    line, task = seconds(alert.threshold.value), ask.label(QUEUE_TIME, TASK.name)
    waits = ask.quantile("0.95", QUEUE_TIME, window, task)
    published = f"sum {ask.by(PUBLISHED, TASK.name)} (rate({ask.series(PUBLISHED)}[{window}]))"
    ended = f"sum {ask.by(RUNS, TASK.name)} (rate({ask.series(RUNS)}[{window}]))"
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            f"One run in twenty of a task of {name} starts more than {line} after it was published or due, counted over "
            f"{spell(window)}. Only runs that did start are counted: when all workers are gone, TargetDown tells of it."
        ),
        impact="Everything that the task does is late by that much: mails, updates, and whatever waits for its result.",
        diagnosis=(
            Step(
                "See which tasks wait.",
                (f"topk(5, {waits})",),
                (
                    ("one task waits", "its queue has too few workers, or one task before it is long: step 2."),
                    ("all tasks wait", "the workers are busy or gone; go on with step 2."),
                ),
            ),
            Step(
                "Compare tasks published a second with runs that end, and see whether the workers are there and busy.",
                (
                    published,
                    ended,
                    f"count by (service) ({ask.series(UP)} == 1)",
                    f"sum {ask.by(ACTIVE, TASK.name)} ({ask.series(ACTIVE)})",
                ),
                (
                    ("more is published than ends", "capacity is short: Mitigation 3, and ask who publishes."),
                    ("one long task holds all workers", "give it a queue of its own: Mitigation 3."),
                    ("workers are idle", "they do not take from that queue: compare their configuration; step 3."),
                ),
            ),
            recent_change(ask, 4),
            Step(
                "Read what the workers log, and see how long runs take.",
                (ask.quantile("0.95", DURATION, window, ask.label(DURATION, TASK.name)),),
                (
                    ("runs got slower", "what they call is slow: find it in their traces."),
                    ("connections to the broker break", "ask the broker's owner."),
                ),
                logs=(f'{ask.stream()} | level =~ "warning|error|critical"',),
            ),
        ),
        mitigation=_mitigation(window),
        escalation=escalate(
            ask.service.team,
            urgent=alert.severity == "page",
            when="users wait for the result of the task",
        ),
        verification=(stays_below("The time that tasks wait", line, waits, 1),),
    )  # fmt: skip


def _mitigation(window: str) -> tuple[Action, ...]:
    return (
        roll_back(spell(window)),
        Action(
            "One input breaks its run or holds a worker: revoke the task, and keep its arguments for the owner.",
            "the worker goes on with the next one.",
            "1 minute.",
        ),
        Action(
            "Workers are short: add workers for that queue, as many again, if what they call can bear it.",
            "waiting falls as soon as they are ready.",
            "2 to 10 minutes.",
        ),
    )
