"""An alert that does not say what is broken."""

from __future__ import annotations

from collections.abc import Iterator

from obs.lint import carried
from obs.lint.check import Check, Finding
from obs.lint.project import Project


def _run(project: Project) -> Iterator[Finding]:
    if "service" in project.settings.optional:
        return
    for alert in project.alerts:
        if "service" not in alert.keys and carried.certainly_without(alert, "service", project):
            yield Finding(
                alert.name.span,
                f"{alert.name.value} carries no label service: it can be routed, grouped and inhibited with nothing",
                "keep it in the expression: by (service), or give it under labels",
            )


CHECK = Check("alert-without-service", "warning", ("rules",), _run)
