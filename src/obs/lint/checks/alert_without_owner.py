"""An alert that belongs to nobody."""

from __future__ import annotations

from collections.abc import Iterator

from obs.lint import carried
from obs.lint.check import Check, Finding
from obs.lint.project import Project


def _run(project: Project) -> Iterator[Finding]:
    names = project.settings.owner
    for alert in project.alerts:
        if not carried.static(alert, project).isdisjoint(names):
            continue
        carries = carried.of_series(alert, project).names | set(alert.keys)
        if carries.isdisjoint(names) and not any(alert.annotation(name) for name in names):
            yield Finding(
                alert.name.span,
                f"{alert.name.value} belongs to nobody: it has no {' or '.join(names)}",
                f"labels: {{{names[0] if names else 'team'}: …}}",
            )


CHECK = Check("alert-without-owner", "warning", ("rules",), _run)
