"""An alert that does not say how bad it is."""

from __future__ import annotations

from collections.abc import Iterator

from obs.lint import carried
from obs.lint.check import Check, Finding
from obs.lint.project import Project


def _run(project: Project) -> Iterator[Finding]:
    for alert in project.alerts:
        if "severity" in alert.keys:
            continue  # misplaced-key names it
        if "severity" in carried.static(alert, project):
            continue
        if "severity" not in carried.of_series(alert, project).names:
            yield Finding(
                alert.name.span,
                f"{alert.name.value} has no label severity: nothing can decide whom it wakes",
                "labels: {severity: page}, or what your routes tell apart",
            )


CHECK = Check("alert-without-severity", "warning", ("rules",), _run)
