"""An alert that does not say what is broken."""

from __future__ import annotations

from collections.abc import Iterator

from obs.lint import carried
from obs.lint.check import Check, Finding
from obs.lint.project import Project
from obs.lint.read.rules import Rule

#: Labels by which others say what is broken.
_OTHERS = ("job", "namespace", "app", "application", "component", "cluster")


def _run(project: Project) -> Iterator[Finding]:
    if "service" in project.settings.optional:
        return
    for alert in project.alerts:
        if "service" not in alert.keys and carried.certainly_without(alert, "service", project):
            others = _others(alert, project)
            what = f"only {' and '.join(others)}" if others else "nor any other that says what is broken"
            yield Finding(
                alert.name.span,
                f"{alert.name.value} carries no label service, {what}: it is neither routed, grouped nor inhibited by it",
                "keep it in the expression: by (service), or give it under labels; where all of yours do without: "
                "optional: [service] in obs-lint.yml",
                severity="info" if others else None,
            )


def _others(alert: Rule, project: Project) -> list[str]:
    carries = carried.of_series(alert, project).names | carried.static(alert, project)
    return [name for name in _OTHERS if name in carries]


CHECK = Check("alert-without-service", "warning", ("rules",), _run)
