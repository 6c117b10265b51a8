"""An alert that leaves whoever it wakes alone."""

from __future__ import annotations

from collections.abc import Iterator

from obs.lint.check import Check, Finding
from obs.lint.meant import annotation
from obs.lint.project import Project


def _run(project: Project) -> Iterator[Finding]:
    for alert in project.alerts:
        written = {*alert.annotations, *alert.keys}
        if alert.annotation("runbook_url").strip() or any(
            annotation(name) == "runbook_url" for name in written
        ):
            continue
        yield Finding(
            alert.name.span,
            f"{alert.name.value} has no runbook_url: whoever is woken by it is alone",
            "annotations: {runbook_url: https://…}",
        )


CHECK = Check("alert-without-runbook", "warning", ("rules",), _run)
