"""Thresholds in a shape that Grafana does not read as what was meant."""

from __future__ import annotations

from collections.abc import Iterator

from obs.lint.check import Check, Finding
from obs.lint.problem import Edit, Fix
from obs.lint.project import Project
from obs.lint.read.dashboards import Dashboard, Panel
from obs.lint.read.json_tree import Value


def _run(project: Project) -> Iterator[Finding]:
    for dashboard in project.of(Dashboard):
        for panel in dashboard.panels:
            thresholds = panel.defaults["thresholds"]
            if thresholds.data is not None and not panel.library:
                yield from _judged(panel, thresholds["steps"])


def _judged(panel: Panel, steps: Value) -> Iterator[Finding]:
    if not isinstance(steps.data, list):
        yield Finding(steps.head, f"{panel.name}: the steps of its thresholds are no list")
        return
    before: float | None = None
    for number, step in enumerate(steps):
        value = step["value"]
        if value.data == "null" or (number == 0 and value.data == ""):
            _, start, end = value.span
            fix = Fix("write null", (Edit(start, end, "null"),))
            yield Finding(value.head, f"{panel.name}: the text {value.data!r} is no value", "null is", fix)
        elif number == 0:
            if value.number is not None:
                message = (
                    f"{panel.name}: the first step begins at {value.data:g}, what is below has no colour"
                )
                yield Finding(
                    value.head, message, "the value of the first step is null, which is minus infinity"
                )
                before = value.number
        elif value.number is None:
            yield Finding(
                step.near("value").head, f"{panel.name}: step {number + 1} has no number as its value"
            )
        else:
            if before is not None and value.number <= before:
                message = f"{panel.name}: the steps do not ascend: {value.data:g} after {before:g}"
                yield Finding(value.head, message, severity="error")
            before = value.number


CHECK = Check("threshold-shape", "warning", ("dashboard",), _run)
