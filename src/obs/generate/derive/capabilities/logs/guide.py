"""Runbooks of the alerts on log lines."""

from __future__ import annotations

from collections.abc import Sequence

from obs.catalogue.log import LEVEL
from obs.catalogue.log_events import DURATION, EVENT, KIND, REQUEST, SECURITY, STREAM
from obs.catalogue.target import UP
from obs.generate.derive.capabilities.logs.slow import LIMIT
from obs.generate.derive.guidance.investigation import error_lines, escalate, recent_change, roll_back
from obs.generate.derive.guidance.queries import Queries
from obs.generate.derive.guidance.references import ROLL_BACK
from obs.generate.model import Action, Alert, Runbook, Step

_SEARCH = "one search in the log"


def error_spike(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """LogErrorSpike: the service writes more errors than it ever should."""
    alert, name = alerts[0], ask.service.name
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            f"{name} writes error lines in numbers that are no background noise any more ({alert.threshold.words}). It comes "
            "before or beside the alerts on requests, and also tells of work that no request waits for."
        ),
        impact="Something fails again and again. Whether users feel it, the error ratio and the objectives tell.",
        diagnosis=(
            _most(ask, f'{LEVEL.name}=~"error|critical"', EVENT.name, alert),
            Step(
                "Read the lines of that event, the newest first, and open the trace of one of them.",
                outcomes=(
                    ("they hold one exception", "its stack names the file and line to repair or roll back."),
                    (
                        "they name another service or the database",
                        "the cause is there: open the runbook of that one and tell its owner.",
                    ),
                    ("they began with a release", "go on with step 3."),
                ),
                logs=(error_lines(ask),),
            ),
            recent_change(ask, 1),
        ),
        mitigation=(roll_back(_SEARCH), _quieter()),
        escalation=_escalation(alerts, ask, "users report trouble too"),
        verification=_over(alerts, "no result is left, or its value is below the line", 1),
    )


def panic(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """LogPanic: something died of an error that nothing handled."""
    name = ask.service.name
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            f"A process, a thread or a task of {name} ended with an error that no code handled, or wrote the last words of a "
            "program that dies: a panic, a segmentation fault, no memory left."
        ),
        impact="What it was doing is lost. A process that its supervisor starts again may die again of the same.",
        diagnosis=(
            Step(
                "Read its last words, with the stack.",
                outcomes=(
                    ("they name a line of our code", "Mitigation 1, and give stack and trace to the owner."),
                    (
                        "they tell of memory",
                        "compare with ProcessMemoryHigh of this service: Mitigation 2.",
                    ),
                    ("they name a library or the interpreter", "Mitigation 1 if its version changed."),
                ),
                logs=(f"{ask.stream()} | {EVENT.name}=~`exception[.].+|lifespan`", _last_words(ask)),
            ),
            recent_change(ask, 3),
            Step(
                "See whether it is down, or dies again and again.",
                (ask.series(UP),),
                (
                    ("an instance is down", "follow TargetDown of this service."),
                    ("all are up", "one thread or task died: what it did stands still until a restart."),
                ),
            ),
        ),
        mitigation=(
            roll_back(_SEARCH),
            Action(
                "Restart what died, with more memory where that was the cause.",
                "its work goes on; the cause remains.",
                "1 minute.",
            ),
        ),
        escalation=_escalation(alerts, ask, "it dies again after a restart"),
        verification=_over(alerts, "no result is left", 1),
    )


def auth_anomaly(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """LogAuthAnomaly: somebody tries what they may not."""
    alert, name = alerts[0], ask.service.name
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            f"{name} refuses logins, tokens or signatures more often than people mistype ({alert.threshold.words}): somebody "
            "tries passwords, replays tokens, or a client has lost its credentials."
        ),
        impact="While all is refused, nothing is lost. One success among many refusals is a break-in.",
        diagnosis=(
            _most(ask, f'{STREAM.name}="{SECURITY}"', KIND.name, alert),
            Step(
                "Read the events of that kind: who, from which address, how often.",
                outcomes=(
                    (
                        "many accounts from few addresses",
                        "an attack: Mitigation 1, and tell the security team.",
                    ),
                    ("one account from many addresses", "that account is the aim: Mitigation 2."),
                    (
                        "one technical client",
                        "its credentials have expired or were changed: tell its owner.",
                    ),
                ),
                logs=(f'{ask.stream()} | {STREAM.name}="{SECURITY}"',),
            ),
            recent_change(ask, 2),
        ),
        mitigation=(
            Action(
                "Block the addresses where the traffic comes in.",
                "the refusals end; who shares an address is blocked, too.",
                "5 minutes.",
            ),
            Action(
                "Lock the account, end its sessions, and call its owner by another way.",
                "nobody can use it until its owner has new credentials.",
                "10 minutes.",
            ),
        ),
        escalation=_escalation(alerts, ask, "one of the tries has succeeded"),
        verification=_over(alerts, "no result is left, or its value is below the line", 2),
    )


def silence(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """LogSilence: no line arrives any more."""
    name = ask.service.name
    up = ask.series(UP)
    return Runbook(
        alerts=tuple(alerts),
        meaning=f"No log line of {name} reaches Loki: it writes none, or they are lost on their way.",
        impact="Nobody can read what the service does. Every other alert on its lines is blind meanwhile.",
        diagnosis=(
            Step(
                "See whether the service runs.",
                (up,),
                (
                    ("it is down or the answer is empty", "follow TargetDown of this service."),
                    ("it is up", "it runs and is not heard; go on with step 2."),
                ),
            ),
            Step(
                "See whether lines of other services arrive.",
                outcomes=(
                    ("none do", "the collector or Loki is at fault: read their own alerts: Mitigation 1."),
                    ("they do", "the way of this one is broken; go on with step 3."),
                ),
                logs=('sum by (service) (count_over_time({service=~".+"} [5m]))',),
            ),
            Step(
                "Read what the process writes, on its own machine.",
                outcomes=(
                    ("lines are there", "the collector does not read them: compare paths and labels."),
                    ("nothing is written", "its level is too high or its output is closed: Mitigation 2."),
                ),
                commands=("obs settings",),
            ),
        ),
        mitigation=(
            Action(
                "Restart the collector on that machine; it goes on reading where it was.",
                "lines that waited in the file arrive with their own time.",
                "2 minutes.",
            ),
            Action(
                "Set the level of the service back to info, or restart it.",
                "its lines come again.",
                "1 minute.",
            ),
        ),
        escalation=_escalation(alerts, ask, "no line of any service arrives"),
        verification=_over(alerts, "no result is left", 2),
    )


def slow_requests(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """LogSlowRequests: the log says that requests take long."""
    alert, name = alerts[0], ask.service.name
    slow = f'{EVENT.name}="{REQUEST.name}" | {DURATION.name} > {LIMIT}'
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            f"A share of the requests of {name} took longer than {LIMIT} s by their own lines ({alert.threshold.words}). It "
            "needs no histogram, so it also holds where the buckets end too early."
        ),
        impact="Users wait. Those behind a time limit shorter than this see errors.",
        diagnosis=(
            _most(ask, slow, "route", alert),
            Step(
                "Take slow requests of that route and open their traces: the longest span is where the time goes.",
                outcomes=(
                    ("a call to another service", "open the runbook of that service and tell its owner."),
                    ("a database statement", f"give its text to the owner; if it is new, {ROLL_BACK}."),
                    ("time between spans", "the process itself stalls: Mitigation 2."),
                ),
                logs=(f'{ask.stream()} | {slow} | trace_id!=""',),
            ),
            recent_change(ask, 1),
        ),
        mitigation=(
            roll_back(_SEARCH),
            Action(
                "Add instances, if their processors or pools are full.",
                "requests wait less for one another.",
                "5 minutes.",
            ),
        ),
        escalation=_escalation(alerts, ask, "most requests are slow"),
        verification=_over(alerts, "no result is left, or its value is below the line", 1),
    )


def _most(ask: Queries, condition: str, field: str, alert: Alert) -> Step:
    counted = f"sum by ({field}) (count_over_time({ask.stream()} | {condition} [{alert.window}]))"
    return Step(
        f"See which {field} most of the lines have.",
        outcomes=(
            (f"one {field} has most of them", "go on with step 2 on that one."),
            ("they are spread", "something that all of them use is broken; go on with step 3."),
        ),
        logs=(f"topk(5, {counted})",),
    )


def _last_words(ask: Queries) -> str:
    return f"{ask.stream()} |~ `(?i)(panic:|fatal python error|segmentation fault|out of memory|core dumped)`"


def _quieter() -> Action:
    return Action(
        "It is one loud line that means nothing: give it a level below error, in the code or by its logger.",
        "the alert ends, and the next one means something.",
        "the time of a release.",
    )


def _escalation(alerts: Sequence[Alert], ask: Queries, when: str) -> tuple[str, ...]:
    return escalate(ask.service.team, urgent=alerts[0].severity == "page", when=when)


def _over(alerts: Sequence[Alert], seen: str, otherwise: int) -> tuple[Step, ...]:
    return (
        Step(
            "The expression of this alert has no result any more.",
            outcomes=(
                (seen, "it is over: the alert ends by itself at the next evaluation."),
                ("a result remains", f"the cause is still there: go on with Diagnosis {otherwise}."),
            ),
            logs=tuple(alert.expr for alert in alerts),
        ),
    )
