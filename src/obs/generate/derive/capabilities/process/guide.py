"""Runbooks of the process alerts."""

from __future__ import annotations

from collections.abc import Sequence

from obs.catalogue.http import SERVER_ACTIVE
from obs.catalogue.jobs import ACTIVE, JOB_NAME
from obs.catalogue.process import CPU_MODE, CPU_TIME, MAX_FDS, MEMORY_USAGE, OPEN_FDS, START_TIME
from obs.generate.derive.guidance.investigation import (
    escalate,
    recent_change,
    roll_back,
    stays_below,
    take_out,
)
from obs.generate.derive.guidance.queries import Queries, look_back, percent, spell
from obs.generate.derive.guidance.references import ROLL_BACK
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


def descriptors_near_limit(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """FileDescriptorsNearLimit: something is opened and not closed."""
    alert, name, window = alerts[0], ask.service.name, look_back(alerts[0])
    line, opened = percent(alert.threshold.value), ask.series(OPEN_FDS)
    share = f"max by (instance) ({opened}) / max by (instance) ({ask.series(MAX_FDS)})"
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            f"An instance of {name} has more than {line} of the files and connections open that it may open. Either it "
            "does not close them, or it really needs so many at once."
        ),
        impact=(
            "At the limit nothing can be opened any more: no connection is accepted, no call is made, no file is read, "
            "and often not even the log is written."
        ),
        diagnosis=(
            Step(
                "See which instances are near the limit, and how many each has open one hour from now at this pace.",
                (share, f"max by (instance) (predict_linear({opened}[30m], 3600))"),
                (
                    ("it climbs steadily", "something is opened and never closed; go on with step 2."),
                    ("it rose with the work", "it needs so many: Mitigation 3."),
                ),
            ),
            Step(
                "See what is open in one of them.",
                outcomes=(
                    ("mostly connections to one address", "its client does not reuse or close them: tell the owner."),
                    ("mostly connections from outside", "clients do not hang up: lower the idle time of the server."),
                    ("mostly files", "their names tell which code forgets to close them."),
                ),
                commands=(
                    'ls -l "/proc/${PID:?set it to the process id of the instance}/fd" | awk \'{print $NF}\' | sort | uniq -c | sort -rn | head',
                ),
            ),
            recent_change(ask, 4),
            Step(
                "Compare with the work in progress, and read the warnings in the log.",
                (*_in_progress(ask), opened),
                (
                    ("work in progress rose with them", "requests or jobs pile up: find what they wait for."),
                    ("it did not", "it is a leak: Mitigation 1 if it came with a release, else Mitigation 2."),
                ),
                logs=(f'{ask.stream()} | level =~ "warning|error|critical"',),
            ),
        ),
        mitigation=(
            roll_back(spell(window)),
            Action(
                "Restart the instance nearest to its limit, then the others one by one.",
                "everything is closed; a leak begins again from zero.",
                "1 to 2 minutes for each instance.",
            ),
            Action(
                "It needs so many: raise the limit (LimitNOFILE, ulimits or nofile) to twice the figure.",
                "it can open more; the kernel's own limit must allow it.",
                "5 minutes, with a restart.",
            ),
        ),
        escalation=escalate(
            ask.service.team,
            urgent=alert.severity == "page",
            when="it reaches 95 %",
        ),
        verification=(stays_below("The share of descriptors in use", line, share, 1),),
    )  # fmt: skip


def restarting(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """ProcessRestarting: an instance does not stay alive."""
    alert, name, window = alerts[0], ask.service.name, look_back(alerts[0])
    line = f"{alert.threshold.value:f}"
    starts = f"max by (instance) (changes({ask.series(START_TIME)}[{window}]))"
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            f"An instance of {name} was started more than {line} times within {spell(window)}: it dies, its supervisor "
            "starts it, and it dies again."
        ),
        impact=(
            "Each time, the work in it is lost and its share of traffic fails for as long as it takes to start. If the "
            "others share the cause, they may follow."
        ),
        diagnosis=(
            Step(
                "See which instances restart.",
                (starts,),
                (
                    ("one instance", "its machine or its input is at fault; go on with step 2."),
                    ("all instances", "a release, a configuration or a dependency is: step 3."),
                ),
            ),
            Step(
                "Read the last lines before each start, and what the kernel and the supervisor say.",
                outcomes=(
                    ("an exception", f"its stack names the file and line; if it is new, {ROLL_BACK}."),
                    ("the log just ends, and the kernel names the process", "memory ran out: follow ProcessMemoryHigh."),
                    ("the supervisor killed it", "its health check fails: it is too slow to start or to answer."),
                    ("it ends by itself with code 0", "it is no service: the supervisor should not start it again."),
                ),
                logs=(f'{ask.stream()} | level =~ "error|critical"',),
                commands=("journalctl --dmesg --since -1h --grep 'oom|Out of memory|segfault'",),
            ),
            recent_change(ask, 4),
            Step(
                "See how much memory and CPU it used before it died.",
                (ask.memory_share(), ask.cpu_share("5m")),
                (
                    ("memory was near 1", "it was killed for it: follow ProcessMemoryHigh."),
                    ("neither was high", "the reason is in its log or its configuration: step 2."),
                ),
            ),
        ),
        mitigation=(
            roll_back(spell(window)),
            Action(
                "A dependency must be there before it starts, and is not: bring that back, or let the service wait for it.",
                "it starts and stays.",
                "1 minute after the dependency is back.",
            ),
            Action(
                "One machine is at fault: move the instance to another.",
                "it runs; look after the machine later.",
                "5 minutes.",
            ),
        ),
        escalation=escalate(
            ask.service.team,
            urgent=alert.severity == "page",
            when="more than half of the instances restart",
        ),
        verification=(stays_below("The number of restarts", line, starts, 1),),
    )  # fmt: skip
