"""An alert whose notification has no summary."""

from __future__ import annotations

from collections.abc import Iterator

from obs.lint.check import Check, Finding
from obs.lint.project import Project


def _run(project: Project) -> Iterator[Finding]:
    for alert in project.alerts:
        if not alert.annotation("summary").strip() and "summary" not in alert.keys:
            yield Finding(
                alert.name.span,
                f"{alert.name.value} has no summary: its notification says nothing about what is wrong",
                "one line for the notification, with the value: {{ $value }}",
            )


CHECK = Check("alert-without-summary", "warning", ("rules",), _run)
