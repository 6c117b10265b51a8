"""A variable that nothing asks: whoever changes it believes that the panels follow."""

from __future__ import annotations

from collections.abc import Iterator

from obs.lint.check import Check, Finding
from obs.lint.project import Project
from obs.lint.read.data_sources import REFERENCE
from obs.lint.read.grafana import Dashboard

#: Ask by themselves (filters on every query); that nothing asks a data source has checks of its own.
_ALONE = frozenset({"adhoc", "groupby", "datasource"})


def _run(project: Project) -> Iterator[Finding]:
    for dashboard in project.of(Dashboard):
        judged = [one for one in dashboard.variables if one.name and one.type not in _ALONE]
        used = _used(dashboard) if judged else set()
        for variable in judged:
            if variable.name not in used:
                yield Finding(variable.value.near("name").head, f"nothing asks the variable {variable.name}")


def _used(dashboard: Dashboard) -> set[str]:
    text = dashboard.source.text
    used = {match["plain"] or match["braced"] or match["old"] for match in REFERENCE.finditer(text)}
    used |= {panel.value.word("repeat") for panel in dashboard.panels}
    return used | {row.word("repeat") for row in dashboard.root["rows"]}


CHECK = Check("variable-unused", "info", ("dashboard",), _run)
