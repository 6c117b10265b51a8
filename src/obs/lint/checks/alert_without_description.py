"""An alert whose notification has no description."""

from __future__ import annotations

from collections.abc import Iterator

from obs.lint.check import Check, Finding
from obs.lint.project import Project


def _run(project: Project) -> Iterator[Finding]:
    for alert in project.alerts:
        if not alert.annotation("description").strip() and "description" not in alert.keys:
            yield Finding(
                alert.name.span,
                f"{alert.name.value} has no description: its notification does not say what it means and what to look at",
                "two sentences for whoever is woken by it",
            )


CHECK = Check("alert-without-description", "warning", ("rules",), _run)
