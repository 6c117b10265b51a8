"""An alert that leaves whoever it wakes alone."""

from __future__ import annotations

from collections.abc import Iterator

from obs.lint import customs
from obs.lint.check import Check, Finding
from obs.lint.meant import annotation
from obs.lint.project import Project
from obs.lint.read.rules import Rule


def _run(project: Project) -> Iterator[Finding]:
    found = [
        Finding(
            alert.name.span,
            f"{alert.name.value} has no runbook_url: whoever is woken by it is alone",
            "annotations: {runbook_url: https://…}",
        )
        for alert in project.alerts
        if not _has_runbook(alert)
    ]
    yield from customs.gathered(
        found,
        len(project.alerts),
        "no alert that was read has a runbook_url: whoever is woken by one is alone",
        f"{len(found)} alerts; begin with those that wake somebody: annotations: {{runbook_url: https://…}}",
    )


def _has_runbook(alert: Rule) -> bool:
    # One of another name is the subject of a check of its own.
    written = {*alert.annotations, *alert.keys}
    return bool(alert.annotation("runbook_url").strip()) or any(
        annotation(name) == "runbook_url" for name in written
    )


CHECK = Check("alert-without-runbook", "warning", ("rules",), _run)
