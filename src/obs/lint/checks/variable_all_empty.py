"""A variable whose "All" stands for nothing empties every panel that asks it."""

from __future__ import annotations

from collections.abc import Iterator

from obs.lint.check import Check, Finding
from obs.lint.problem import Edit, Fix
from obs.lint.project import Project
from obs.lint.read.grafana import Dashboard, Variable

_ALL = "$__all"


def _run(project: Project) -> Iterator[Finding]:
    for dashboard in project.of(Dashboard):
        for variable in dashboard.variables:
            if variable.include_all:
                yield from _judged(variable)


def _judged(variable: Variable) -> Iterator[Finding]:
    current = variable.value["current"]["value"]
    values = [item for item in current if item.text] if isinstance(current.data, list) else [current]
    for item in values:
        if item.text == "All" and not variable.all_value:
            _, start, end = item.span
            fix = Fix(f'write "{_ALL}", as Grafana calls it', (Edit(start, end, f'"{_ALL}"'),))
            message = f"variable {variable.name}: 'All' is chosen as if it were a value, so no series matches"
            yield Finding(item.head, message, f"Grafana's name for all values is {_ALL}", fix, "error")
    if variable.type == "query" and not variable.all_value:
        message = f"variable {variable.name}: 'All' stands for nothing when its query finds no value"
        hint = 'allValue ".+" takes every value, ".*" also series without the label'
        yield Finding(variable.value.near("includeAll").head, message, hint, severity="info")
    elif variable.type == "custom" and not variable.query.strip() and not variable.all_value:
        yield Finding(
            variable.value.near("includeAll").head, f"variable {variable.name} offers no value at all"
        )


CHECK = Check("variable-all-empty", "warning", ("dashboard",), _run)
