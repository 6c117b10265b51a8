"""Thresholds in a shape that Grafana does not read as what was meant."""

from __future__ import annotations

from collections.abc import Iterator

from obs.lint.check import Check, Finding
from obs.lint.problem import Edit, Fix
from obs.lint.project import Project
from obs.lint.read.grafana import Dashboard, Panel
from obs.lint.read.json_tree import Value


def _run(project: Project) -> Iterator[Finding]:
    for dashboard in project.of(Dashboard):
        for panel in dashboard.panels:
            if panel.value.plain("fieldConfig", "defaults", "thresholds") is not None and not panel.library:
                yield from _judged(panel, panel.defaults["thresholds"]["steps"])


def _judged(panel: Panel, steps: Value) -> Iterator[Finding]:
    if not isinstance(steps.data, list):
        yield Finding(steps.head, f"{panel.name}: the steps of its thresholds are no list")
        return
    before: float | None = None
    for number, step in enumerate(steps):
        value = step["value"]
        if number == 0:
            yield from _first(panel, value)
        elif value.number is None:
            yield Finding(
                step.near("value").head, f"{panel.name}: step {number + 1} has no number as its value"
            )
        else:
            if before is not None and value.number <= before:
                message = f"{panel.name}: the steps do not ascend: {value.data:g} after {before:g}"
                yield Finding(value.head, message, "Grafana takes the last step that the value has reached")
            before = value.number


def _first(panel: Panel, value: Value) -> Iterator[Finding]:
    """Grafana reads minus infinity whatever the first step says; who reads the file does not know that."""
    if value.data is None:
        return
    span = value.span
    fix = Fix("write null", (Edit(span.start, span.end, "null"),))
    message = f"{panel.name}: the first step says {value.data!r}; Grafana reads minus infinity"
    yield Finding(value.head, message, "its value is null", fix, "info")


CHECK = Check("threshold-shape", "warning", ("dashboard",), _run)
