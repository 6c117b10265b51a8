"""An alert that fires on a single evaluation."""

from __future__ import annotations

from collections.abc import Iterator

from obs.lint.check import Check, Finding
from obs.lint.project import Project


def _run(project: Project) -> Iterator[Finding]:
    for alert in project.alerts:
        if alert.for_ is None:
            yield Finding(
                alert.name.span,
                f"{alert.name.value} has no `for`: one bad evaluation notifies somebody",
                "say how long it must hold, or `for: 0s` where a single event matters",
            )


CHECK = Check("alert-without-for", "warning", ("rules",), _run)
