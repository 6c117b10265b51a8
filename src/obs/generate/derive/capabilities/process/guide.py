"""Runbooks of the process alerts."""

from __future__ import annotations

from collections.abc import Sequence

from obs.catalogue.http import SERVER_ACTIVE
from obs.catalogue.jobs import ACTIVE, JOB_NAME
from obs.catalogue.process import CPU_MODE, CPU_TIME, MEMORY_USAGE, START_TIME
from obs.generate.derive.guidance.investigation import escalate, recent_change, roll_back, take_out
from obs.generate.derive.guidance.queries import Queries, look_back, percent, spell
from obs.generate.model import Action, Alert, Runbook, Step


def cpu_high(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """ProcessCpuHigh: an instance has little CPU left."""
    alert, name, window = alerts[0], ask.service.name, look_back(alerts[0])
    line = percent(alert.threshold.value)
    mode = ask.by(CPU_TIME, CPU_MODE.name)
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            f"An instance of {name} has used more than {line} of the CPU that it may use, for {spell(window)} and longer. "
            "What it may use is the limit of its control group, or the machine's CPUs where there is no limit."
        ),
        impact=(
            "Work begins to queue: latency rises first, then calls time out. At the limit the kernel pauses the "
            "process for parts of each tenth of a second, which shows as latency that no trace explains."
        ),
        diagnosis=(
            Step(
                "See which instances are busy, and for how long they have been.",
                (ask.cpu_share(window),),
                (
                    (
                        "one instance is",
                        "its share of work is uneven or it hangs in a loop; go on with step 4.",
                    ),
                    ("all are", "the load is higher or each piece of work costs more; go on with step 2."),
                ),
            ),
            Step(
                "Compare the work done with yesterday's.",
                _work(ask, window),
                (
                    ("there is more work than yesterday", "capacity is short: Mitigation 1."),
                    ("the work is the same", "each piece costs more than before; go on with step 3."),
                ),
            ),
            recent_change(ask, 4),
            Step(
                "See what the CPU is spent on: the program (user) or the kernel on its behalf (system).",
                (f"sum {mode} (rate({ask.series(CPU_TIME)}[{window}]))",),
                (
                    (
                        "user dominates",
                        "take a profile of one busy instance for 30 seconds; the widest function is the cause.",
                    ),
                    (
                        "system dominates",
                        "it writes, logs or opens connections too much: count its log lines and its open files.",
                    ),
                ),
                logs=(f'{ask.stream()} | level =~ "warning|error|critical"',),
                commands=('py-spy record --duration 30 --output profile.svg --pid "$(pgrep -of python)"',),
            ),
        ),
        mitigation=(
            Action(
                "More work than usual: add instances, half as many again.",
                "CPU of each falls by a third once the balancer sends them traffic.",
                "2 to 10 minutes.",
            ),
            roll_back(spell(window)),
            take_out(spell(window)),
            Action(
                "A batch or a crawler causes it: limit its rate, or move it to a quiet hour.",
                "the CPU is free for users at once.",
                "5 minutes.",
            ),
        ),
        escalation=escalate(
            ask.service.team,
            urgent=alert.severity == "page",
            when="latency or error alerts of this service fire too",
        ),
        verification=(
            Step(
                f"Every instance stays below {line} for {spell(window)}.",
                (ask.cpu_share(window),),
                (
                    ("all stay below", "the alert ends by itself at the next evaluation."),
                    (
                        "they hover near the line",
                        "keep the added instances and plan capacity with the owner.",
                    ),
                ),
            ),
        ),
    )


def memory_high(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """ProcessMemoryHigh: an instance is about to be killed."""
    alert, name, window = alerts[0], ask.service.name, look_back(alerts[0])
    line = percent(alert.threshold.value)
    used = ask.series(MEMORY_USAGE)
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            f"An instance of {name} holds more than {line} of the memory that it may use. At the limit the kernel "
            "kills it without a word in its log."
        ),
        impact=(
            "When it is killed, every request and job in it fails at once, and the others take its load and come "
            "nearer to their own limit: instances can fall one after another."
        ),
        diagnosis=(
            Step(
                "See which instances are full, and whether the figure climbs or has jumped.",
                (ask.memory_share(),),
                (
                    (
                        "it climbs steadily on all",
                        "memory leaks; go on with step 2 to learn how long is left.",
                    ),
                    ("it jumped on one", "one piece of work needed it; go on with step 4."),
                    ("it jumped on all", "a release or a larger load did it; go on with step 3."),
                ),
            ),
            Step(
                "Estimate what each instance holds in one hour, in bytes, at the pace of the last 30 minutes.",
                (f"max by (instance) (predict_linear({used}[30m], 3600))",),
                (
                    ("it passes the limit within the hour", "restart now, one by one: Mitigation 1."),
                    ("it stays below", "there is time: take a heap profile before the restart."),
                ),
            ),
            recent_change(ask, 4),
            Step(
                "See what it was doing: work in progress, and restarts, which tell of kills.",
                (*_in_progress(ask), f"sum by (instance) (changes({ask.series(START_TIME)}[6h]))"),
                (
                    (
                        "work in progress rose with memory",
                        "requests or jobs pile up: find what they wait for.",
                    ),
                    ("it restarts again and again", "it is being killed: Mitigation 3, then find the leak."),
                ),
                logs=(f'{ask.stream()} | level =~ "warning|error|critical"',),
                commands=("journalctl --dmesg --since -6h --grep 'oom|Out of memory'",),
            ),
        ),
        mitigation=(
            Action(
                "Restart the fullest instance; then the others, one by one, each after the one before is ready.",
                "memory is free again; requests in flight on that instance are finished or lost.",
                "1 to 2 minutes for each instance.",
            ),
            roll_back(spell(window)),
            Action(
                "It fills again within hours: raise the memory limit by half until the leak is found.",
                "kills stop; the machine must have that memory to spare.",
                "5 minutes, with a restart.",
            ),
        ),
        escalation=escalate(
            ask.service.team,
            urgent=alert.severity == "page",
            when="two instances have been killed within an hour",
        ),
        verification=(
            Step(
                f"Every instance stays below {line}, and the forecast does too.",
                (ask.memory_share(), f"max by (instance) (predict_linear({used}[30m], 3600))"),
                (
                    (
                        "both hold for half an hour",
                        "it is over; a leak comes back, so open a ticket with the graph.",
                    ),
                    (
                        "it climbs as before",
                        "the leak is still there: plan the next restart and call the owner.",
                    ),
                ),
            ),
        ),
    )


def _work(ask: Queries, window: str) -> tuple[str, ...]:
    """Return what tells how much the service does, by its capabilities."""
    found: list[str] = []
    if "http" in ask.service.capabilities:
        found += [
            f"sum by (service) ({ask.requests(window)})",
            f"sum by (service) ({ask.requests(window, offset='1d')})",
        ]
    if "jobs" in ask.service.capabilities:
        found.append(f"sum {ask.by(ACTIVE, JOB_NAME.name)} ({ask.series(ACTIVE)})")
    return tuple(found) or (ask.cpu_share("1h"),)


def _in_progress(ask: Queries) -> tuple[str, ...]:
    found: list[str] = []
    if "http" in ask.service.capabilities:
        found.append(f"sum by (instance) ({ask.series(SERVER_ACTIVE)})")
    if "jobs" in ask.service.capabilities:
        found.append(f"sum {ask.by(ACTIVE, JOB_NAME.name)} ({ask.series(ACTIVE)})")
    return tuple(found)
