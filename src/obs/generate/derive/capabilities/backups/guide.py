"""Runbooks of the alerts on backups."""

from __future__ import annotations

from collections.abc import Sequence

from obs.catalogue.conventions.backups import BACKUP, LAST_SIZE, LAST_SUCCESS
from obs.catalogue.target import UP
from obs.generate.derive.guidance.investigation import error_lines, escalate
from obs.generate.derive.guidance.queries import Queries, percent
from obs.generate.model import Action, Alert, Duration, Runbook, Step

_BY_HAND = Action(
    "Make the backup by hand, with the command of its schedule, and wait until it has ended.",
    "there is a fresh backup; the alert ends with it.",
    "as long as a backup takes.",
)


def stale(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """BackupStale: the last backup that worked is too old."""
    age = _age(ask)
    line = Duration(int(alerts[0].threshold.value * 1000)).words
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            f"The last backup that worked is older than {line}. The label `backup` of the alert says of what. It fails, "
            "hangs, or is not started any more."
        ),
        impact="Nobody notices. After a loss, everything written since the last backup is gone for good.",
        diagnosis=(
            Step(
                "See how old each backup is, in seconds.",
                (age,),
                (
                    ("one is old", "its own trouble; go on with step 2."),
                    (
                        "all are old",
                        "what makes or keeps them has stopped: its schedule, its disk, its credentials.",
                    ),
                ),
            ),
            Step(
                "Read how its last runs ended.",
                outcomes=(
                    ("no space left", "Mitigation 2."),
                    ("access denied", "credentials have expired: renew them, then Mitigation 1."),
                    (
                        "a lock or a long transaction is in its way",
                        "end that transaction with its owner's consent; Mitigation 1.",
                    ),
                    ("no run was started", "its schedule is off or its worker gone; go on with step 3."),
                ),
                logs=(error_lines(ask),),
            ),
            Step(
                "See whether the worker that makes it is there.",
                (ask.series(UP),),
                (
                    ("it is down", "follow TargetDown of this service."),
                    ("it is up", "its scheduler stands still: restart it, then Mitigation 1."),
                ),
            ),
        ),
        mitigation=(
            _BY_HAND,
            Action(
                "Free space where backups are kept: remove the oldest beyond the promised number, never the newest.",
                "the next backup finds room.",
                "10 minutes.",
            ),
        ),
        escalation=escalate(
            ask.service.team,
            urgent=alerts[0].severity == "page",
            when="the age passes what was promised to restore",
        ),
        verification=(
            Step(
                "The age of every backup is near 0 after its run, and it can be read: restore one table of it.",
                (age, _size(ask)),
                (
                    ("both hold", "it is over; see that the next one is made by itself."),
                    ("it is much smaller than before", "follow BackupShrank."),
                ),
            ),
        ),
    )


def missing(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """BackupMetricMissing: nobody tells of a backup any more, or ever did."""
    age = _age(ask)
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            f"{ask.service.name} should tell when its backups were made, and for one of them, or for all, nobody does. "
            "Backups may still be made; nobody can know."
        ),
        impact="BackupStale is blind to it: a backup that stops would not be noticed.",
        diagnosis=(
            Step(
                "See which backups are told of, and whether their worker is scraped.",
                (age, ask.series(UP)),
                (
                    ("the worker is down or not scraped", "follow TargetDown of this service."),
                    ("others are told of", "this one was renamed or switched off; go on with step 2."),
                    ("none is told of", "the metric is not set by the code; go on with step 2."),
                ),
            ),
            Step(
                "Look at what the worker exposes, and at where backups are kept.",
                outcomes=(
                    ("there are fresh backups", "only the telling is broken: Mitigation 1."),
                    ("there are none", "treat it as BackupStale: make one now, Mitigation 2."),
                ),
                commands=(
                    'curl --silent "http://${INSTANCE:?set it to the address of the worker}/metrics" | grep ^backup_',
                ),
            ),
        ),
        mitigation=(
            Action(
                "Set the time of the last success at the end of each run, under the name in the catalogue "
                "(`obs catalogue show backup.last_success`).",
                "the age is known from the next run on.",
                "a release.",
            ),
            _BY_HAND,
            Action(
                "The backup was given up on purpose: take the capability out of the spec, and generate again.",
                "the alert disappears with the promise.",
                "10 minutes.",
            ),
        ),
        escalation=escalate(
            ask.service.team,
            urgent=alerts[0].severity == "page",
            when="there is no fresh backup where backups are kept",
        ),
        verification=(
            Step(
                "The age of every backup is known again.",
                (age,),
                (
                    ("it is", "it is over."),
                    ("one is missing", "go on with Diagnosis 2 on that one."),
                ),
            ),
        ),
    )


def shrank(alerts: Sequence[Alert], ask: Queries) -> Runbook:
    """BackupShrank: the last backup is much smaller than the largest of the week."""
    size, label = _size(ask), ask.label(LAST_SIZE, BACKUP.name)
    largest = f"max by ({label}) (max_over_time({ask.series(LAST_SIZE)}[7d]))"
    return Runbook(
        alerts=tuple(alerts),
        meaning=(
            f"The last backup has less than {percent(alerts[0].threshold.value)} of the size of the largest of the week. "
            "It was cut short, left something out, or the data itself is gone."
        ),
        impact="A restore may bring back half of the data, or data may have been lost already.",
        diagnosis=(
            Step(
                "Compare the size with that of the week, in bytes, and with its age.",
                (f"{size} / {largest}", size, _age(ask)),
                (
                    ("it fell at once", "one run was cut short or data was deleted; go on with step 2."),
                    (
                        "it falls day by day",
                        "old data is being cleaned up: that may be right; ask its owner.",
                    ),
                ),
            ),
            Step(
                "Compare the data itself with what is in the backup: count the rows of its largest tables in both.",
                outcomes=(
                    ("the data is whole, the backup is not", "Mitigation 1, and keep the older backups."),
                    ("the data is gone", "stop whatever deletes; Mitigation 2."),
                    ("both are smaller, and that is right", "nothing is lost; the alert ends within a week."),
                ),
                logs=(error_lines(ask),),
            ),
        ),
        mitigation=(
            _BY_HAND,
            Action(
                "Keep the last whole backup out of the rotation, and restore what is missing into a place beside.",
                "nothing more is lost while the owner decides.",
                "an hour.",
            ),
        ),
        escalation=escalate(
            ask.service.team,
            urgent=alerts[0].severity == "page",
            when="rows are missing from the data itself",
        ),
        verification=(
            Step(
                "The newest backup is as large as those before, and a table restored from it is whole.",
                (f"{size} / {largest}",),
                (
                    ("both hold", "it is over."),
                    ("it is small again", "go on with Diagnosis 2."),
                ),
            ),
        ),
    )


def _age(ask: Queries) -> str:
    label = ask.label(LAST_SUCCESS, BACKUP.name)
    return f"time() - max by ({label}) ({ask.series(LAST_SUCCESS)})"


def _size(ask: Queries) -> str:
    return f"max by ({ask.label(LAST_SIZE, BACKUP.name)}) ({ask.series(LAST_SIZE)})"
