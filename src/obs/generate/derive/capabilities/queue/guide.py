"""Runbooks of queues that grow, stand still or give messages up."""

from __future__ import annotations

from collections.abc import Sequence

from obs.catalogue.queue import DEAD_LETTERS, DEPTH, ERROR_TYPE, OLDEST_AGE, PROCESSING, QUEUE
from obs.catalogue.target import UP
from obs.generate.derive.guidance.investigation import (
    error_lines,
    escalate,
    recent_change,
    roll_back,
    stays_below,
)
from obs.generate.derive.guidance.queries import Queries, look_back, seconds, spell
from obs.generate.model import Action, Alert, Runbook, Step


def backlog_growing(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """QueueBacklogGrowing: more comes in than is worked off."""
    alert, name, window = alerts[0], ask.service.name, look_back(alerts[0])
    line = f"{alert.threshold.value:f}"
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            f"More than {line} messages wait in a queue of {name}, and over {spell(window)} there were ever more: messages "
            "come in faster than they are worked off."
        ),
        impact=(
            "What a message stands for (a mail, a payment, an update) happens late, and later with every minute. A broker "
            "whose memory or disk is full stops taking messages altogether."
        ),
        diagnosis=_behind(ask, window, _depth(ask)),
        mitigation=_mitigation(window),
        escalation=escalate(
            ask.service.team,
            urgent=alert.severity == "page",
            when="the broker's memory or disk is above 80 %",
        ),
        verification=(stays_below("The number of messages that wait", line, _depth(ask), 1),),
    )


def oldest_stale(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """QueueOldestMessageStale: a message is not worked off."""
    alert, name, window = alerts[0], ask.service.name, look_back(alerts[0])
    line, age = seconds(alert.threshold.value), _age(ask)
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            f"The oldest message in a queue of {name} has been waiting for more than {line}. The queue may be short: what "
            "counts is that its head does not move, or that there is much before it."
        ),
        impact="Whoever waits for what the message stands for has been waiting as long, and so does all that comes after.",
        diagnosis=_behind(ask, window, age),
        mitigation=_mitigation(window),
        escalation=escalate(
            ask.service.team,
            urgent=alert.severity == "page",
            when="the messages move money or users ask for what they wait for",
        ),
        verification=(stays_below("The age of the oldest message", line, age, 1),),
    )  # fmt: skip


def processing_slow(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """MessageProcessingSlow: each message takes longer than it should."""
    alert, name, window = alerts[0], ask.service.name, look_back(alerts[0])
    line, queue = seconds(alert.threshold.value), ask.label(PROCESSING, QUEUE.name)
    p95 = ask.quantile("0.95", PROCESSING, window, queue)
    return Runbook(
        alerts=tuple(alerts),
        meaning=f"The work of {name} on one message in twenty takes longer than {line}, counted over {spell(window)}.",
        impact=(
            "The queue is worked off more slowly than it was sized for. Near the broker's time limit for a message it is "
            "given to a second worker while the first still works on it, and everything is done twice."
        ),
        diagnosis=_behind(ask, window, p95),
        mitigation=_mitigation(window),
        escalation=escalate(
            ask.service.team,
            urgent=alert.severity == "page",
            when="QueueOldestMessageStale fires as well",
        ),
        verification=(stays_below("The 95th percentile of the work on a message", line, p95, 1),),
    )


def dead_letters(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """DeadLetterNotEmpty: messages were given up."""
    alert, name, window = alerts[0], ask.service.name, look_back(alerts[0])
    given_up = f"sum {ask.by(DEAD_LETTERS, QUEUE.name)} (increase({ask.series(DEAD_LETTERS)}[{window}]))"
    kinds = ask.by(PROCESSING, QUEUE.name, ERROR_TYPE.name)
    failed = f"rate({ask.series(PROCESSING, (ERROR_TYPE.name, '!=', ''), part='_count')}[{window}])"
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            f"{name} tried a message as often as it may, failed each time, and put it aside. One message is enough for "
            "this alert, because nobody else will ever look at it."
        ),
        impact=(
            "What those messages stand for has not happened and will not, until somebody puts them back. Everything else "
            "goes on as usual, which is why nobody notices."
        ),
        diagnosis=(
            Step(
                "See which queue gives messages up, and how its messages fail.",
                (given_up, f"sum {kinds} ({failed})"),
                (
                    ("one kind of error", "go on with step 2."),
                    ("timeouts or refused connections", "a dependency was down: Mitigation 2 when it is back."),
                ),
            ),
            recent_change(ask, 3),
            Step(
                "Read the errors, and one of the messages in the dead-letter queue.",
                outcomes=(
                    ("the message cannot be read or lacks a field", "its sender changed: tell them; Mitigation 3."),
                    ("the message is well and the code raises", "the stack names the file and line to repair."),
                    ("it refers to something that no longer exists", "it can be dropped: Mitigation 3."),
                ),
                logs=(error_lines(ask),),
            ),
        ),
        mitigation=(
            roll_back(spell(window)),
            Action(
                "The cause is over: put the messages back into their queue, a few first and then the rest.",
                "they are worked off as if they had just come; where order matters, ask the owner first.",
                "5 minutes for a few, then as long as the queue takes.",
            ),
            Action(
                "They can never succeed: keep a copy for the owner, then remove them.",
                "the dead-letter queue is empty, so that the next message in it is seen.",
                "10 minutes.",
            ),
        ),
        escalation=escalate(
            ask.service.team,
            urgent=alert.severity == "page",
            when="the messages moved money, or cannot be repeated",
        ),
        verification=(stays_below("The number of messages given up", "1", given_up, 1),),
    )  # fmt: skip


def _depth(ask: Queries) -> str:
    return f"max {ask.by(DEPTH, QUEUE.name)} ({ask.series(DEPTH)})"


def _age(ask: Queries) -> str:
    return f"max {ask.by(OLDEST_AGE, QUEUE.name)} ({ask.series(OLDEST_AGE)})"


def _behind(ask: Queries, window: str, first: str) -> tuple[Step, ...]:
    """Steps from "a queue is late" to the workers, the work or the flood."""
    queue, kinds = ask.label(PROCESSING, QUEUE.name), ask.by(PROCESSING, QUEUE.name, ERROR_TYPE.name)
    done = f"sum by ({queue}) (rate({ask.series(PROCESSING, part='_count')}[{window}]))"
    before = f"sum by ({queue}) (rate({ask.series(PROCESSING, part='_count')}[{window}] offset 1d))"
    return (
        Step(
            "See which queue is late, and how many messages wait in it for how long.",
            (first, _depth(ask), _age(ask)),
            (
                ("one queue", "its workers or its work are at fault; go on with step 2."),
                ("all queues", "the broker or all workers are: see whether they are up, in step 2."),
            ),
        ),
        Step(
            "Compare messages worked off a second with yesterday, and see whether the workers are there.",
            (done, before, f"count by (service) ({ask.series(UP)} == 1)"),
            (
                (
                    "no message is worked off",
                    "workers are gone or one message blocks: TargetDown, else step 4.",
                ),
                ("fewer than yesterday", "each takes longer, or there are fewer workers: step 3."),
                ("as many or more", "more comes in than usual: Mitigation 3, and ask who sends it."),
            ),
        ),
        recent_change(ask, 4),
        Step(
            "See how long the work takes and how it fails, and read the errors.",
            (
                ask.quantile("0.95", PROCESSING, window, queue),
                f"sum {kinds} (rate({ask.series(PROCESSING, part='_count')}[{window}]))",
            ),
            (
                ("the same message fails again and again", "put it aside: Mitigation 2."),
                ("the work got slower", "what it calls is slow: find it in the traces and open its runbook."),
                ("neither", "workers wait for the broker: ask its owner."),
            ),
            logs=(error_lines(ask),),
        ),
    )


def _mitigation(window: str) -> tuple[Action, ...]:
    return (
        roll_back(spell(window)),
        Action(
            "One message blocks the queue: move it to the dead-letter queue, and keep it for the owner.",
            "the messages behind it are worked off.",
            "5 minutes.",
        ),
        Action(
            "There is more work than workers: add workers, as many again, if what they call can bear it.",
            "the queue shrinks at twice the speed; watch the database while it does.",
            "2 to 10 minutes until they are ready, then as long as the backlog is.",
        ),
    )
