"""Runbook of an event loop that is held up."""

from __future__ import annotations

from collections.abc import Sequence

from obs.catalogue.event_loop import LAG
from obs.generate.derive.guidance.investigation import (
    escalate,
    recent_change,
    roll_back,
    stays_below,
    take_out,
)
from obs.generate.derive.guidance.queries import Queries, look_back, seconds, spell
from obs.generate.derive.guidance.references import ROLL_BACK
from obs.generate.model import Action, Alert, Runbook, Step


def lag_high(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """EventLoopLagHigh: something holds the loop."""
    alert, name, window = alerts[0], ask.service.name, look_back(alerts[0])
    line, lag = seconds(alert.threshold.value), f"max by (instance) ({ask.series(LAG)})"
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            f"The event loop of an instance of {name} comes to work that is ready more than {line} late. Something runs in "
            "it that does not give way: a computation, a call that blocks, or simply too many tasks at once."
        ),
        impact=(
            "Every request, timer and heartbeat of that process waits as long, even those that need nothing. Health "
            "checks may fail, and then the process is restarted."
        ),
        diagnosis=(
            Step(
                "See which instances are late, and whether they are busy.",
                (lag, ask.cpu_share(window)),
                (
                    ("late, and CPU is high", "a computation holds the loop, or there is too much to do: step 2."),
                    ("late, and CPU is low", "a call that blocks holds the loop: step 2."),
                    ("one instance only", "take it out of rotation (Mitigation 2) after step 2."),
                ),
            ),
            Step(
                "Take three stack dumps of a late instance, a second apart: what they share holds the loop.",
                outcomes=(
                    ("a call to a file, a socket or a lock", "it must run in a thread or be awaited: tell the owner."),
                    ("a computation of ours", "it must run in another process: Mitigation 3 until then."),
                    ("each shows something else", "there is simply too much work: Mitigation 3."),
                ),
                commands=('py-spy dump --pid "${PID:?set it to the process id of the instance}"',),
            ),
            recent_change(ask, 4),
            Step(
                "Read the warnings of the loop about callbacks that take long.",
                outcomes=(
                    ("a callback is named", f"its code holds the loop; if it is new, {ROLL_BACK}."),
                    ("there are none", "switch on the loop's debug mode in one instance and wait for one."),
                ),
                logs=(f'{ask.stream()} |= "asyncio"',),
            ),
        ),
        mitigation=(
            roll_back(spell(window)),
            take_out(spell(window)),
            Action(
                "Add instances, half as many again, or let each take fewer requests at once.",
                "each loop has less to do and is on time again.",
                "2 to 10 minutes.",
            ),
        ),
        escalation=escalate(
            ask.service.team,
            urgent=alert.severity == "page",
            when="health checks fail because of it",
        ),
        verification=(stays_below("The lag of every instance", line, lag, 1),),
    )  # fmt: skip
