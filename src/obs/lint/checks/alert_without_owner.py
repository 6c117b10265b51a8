"""An alert that belongs to nobody."""

from __future__ import annotations

from collections.abc import Iterator

from obs.lint import carried, customs
from obs.lint.check import Check, Finding
from obs.lint.project import Project
from obs.lint.read.rules import Rule


def _run(project: Project) -> Iterator[Finding]:
    names = " or ".join(project.settings.owner)
    label = next(iter(project.settings.owner), "team")
    found = [
        Finding(
            alert.name.span,
            f"{alert.name.value} belongs to nobody: it has no {names}",
            f"labels: {{{label}: …}}",
        )
        for alert in project.alerts
        if not _is_owned(alert, project)
    ]
    yield from customs.gathered(
        found,
        len(project.alerts),
        f"no alert that was read belongs to anybody: none has {names}",
        f"{len(found)} alerts; where another label names the team, say so in obs-lint.yml: owner: […]",
    )


def _is_owned(alert: Rule, project: Project) -> bool:
    names = project.settings.owner
    if not carried.static(alert, project).isdisjoint(names):
        return True
    carries = carried.of_series(alert, project).names | set(alert.keys)
    return not carries.isdisjoint(names) or any(alert.annotation(name) for name in names)


CHECK = Check("alert-without-owner", "warning", ("rules",), _run)
