"""Runbook of what is missing: a target that cannot be scraped."""

from __future__ import annotations

from collections.abc import Sequence

from obs.catalogue.process import START_TIME
from obs.catalogue.target import SCRAPE_DURATION, UP
from obs.generate.derive.capabilities.targets.alerts import MEMORY
from obs.generate.derive.guidance.investigation import escalate, recent_change, roll_back
from obs.generate.derive.guidance.queries import Queries
from obs.generate.model import Action, Alert, Runbook, Step


def forgets(ask: Queries) -> str:
    """Say for how long targets that are gone are missed."""
    if ask.service.environment:
        return "The alert ends only when targets of this environment answer again."
    return (
        f"Where several environments share a Prometheus, one whose targets are all gone is missed for {MEMORY.words}: "
        "the alert then ends although nothing has come back. What an environment's own rules watch (`obs generate "
        "--environment`), and a service of which no environment is left, is missed for good."
    )


def target_down(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """TargetDown: Prometheus cannot read the service."""
    alert, name = alerts[0], ask.service.name
    up = ask.series(UP)
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            f"Prometheus cannot scrape an instance of {name}, or has lost all of them from its targets. The process "
            "is gone, does not answer, answers too slowly, or has moved. "
            f"{forgets(ask)}"
        ),
        impact=(
            "If the process is gone, its users are turned away. If it is only the scrape that fails, users see "
            "nothing, but every other alert of this service is blind meanwhile."
        ),
        diagnosis=(
            Step(
                "See which instances are down; an empty answer means that none is left among the targets.",
                (up, f"count by (service) ({up} == 1)"),
                (
                    ("one is down", "go on with step 2 on its address (label `instance`)."),
                    ("all are down", "a release, the network or the machine; go on with step 3."),
                    (
                        "the answer is empty",
                        "the targets were removed: compare Prometheus' target file or discovery.",
                    ),
                ),
            ),
            Step(
                "Ask the instance itself, from the machine of Prometheus: take the address from the label `instance`.",
                outcomes=(
                    ("connection refused", "the process is gone: Mitigation 1, then read why in step 4."),
                    (
                        "it times out",
                        "the process hangs or the network drops packets: Mitigation 1 after a stack dump.",
                    ),
                    ("it answers 200", "the scrape fails: read the error on Prometheus' page of targets."),
                    (
                        "it answers 401, 403 or 404",
                        "path or credentials of the scrape are wrong: revert that change.",
                    ),
                ),
                commands=(
                    (
                        'curl --silent --show-error --max-time 5 --output /dev/null --write-out "%{http_code} %{time_total}s\\n" '
                        '"http://${INSTANCE:?set it to the label instance}/metrics"'
                    ),
                ),
            ),
            recent_change(ask, 4),
            Step(
                "See whether scrapes were getting slower, and read the last lines of the process.",
                (
                    f"max by (instance) (max_over_time({ask.series(SCRAPE_DURATION)}[1h]))",
                    f"max by (instance) (last_over_time({ask.series(START_TIME)}[1h]))",
                ),
                (
                    ("scrapes neared their time limit", "the process is overloaded or has too many series."),
                    ("the log ends with an exception", "the process died of it: Mitigation 2."),
                    (
                        "the log just ends",
                        "it was killed from outside: look for the kernel's out-of-memory lines.",
                    ),
                ),
                logs=(ask.stream(),),
                commands=("journalctl --dmesg --since -1h --grep 'oom|Out of memory'",),
            ),
        ),
        mitigation=(
            Action(
                "Start the process again, or let its supervisor do it.",
                "it answers and is scraped again at the next interval.",
                f"1 minute, and {ask.service.scrape_interval.words} for the next scrape.",
            ),
            roll_back("one scrape"),
            Action(
                "The machine is gone: start the instance on another.",
                "capacity is back; the old target disappears with the next discovery.",
                "5 minutes.",
            ),
        ),
        escalation=escalate(
            ask.service.team,
            urgent=alert.severity == "page",
            when="no instance is left",
        ),
        verification=(
            Step(
                "Every instance that should be there is up, and stays so.",
                (f"min_over_time({up}[5m])",),
                (
                    ("all values are 1", "the alert ends at the next evaluation."),
                    ("a value is 0", "it flaps: it starts and dies again; go on with Diagnosis 4."),
                ),
            ),
        ),
    )
