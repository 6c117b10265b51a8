"""A data source by its uid or name exists in one installation only."""

from __future__ import annotations

import json
from collections.abc import Iterator

from obs.lint.check import Check, Finding
from obs.lint.problem import Edit, Fix
from obs.lint.project import Project
from obs.lint.read.data_sources import DataSource, data_source
from obs.lint.read.grafana import Dashboard, Panel
from obs.lint.read.json_tree import Value


def _run(project: Project) -> Iterator[Finding]:
    for dashboard in project.of(Dashboard):
        for owner, source in _sources(dashboard):
            if source.fixed:
                at = source.value.near("uid")
                message = f"{owner} asks the data source {source.uid!r} of one installation"
                yield Finding(at.head, message, _hint(dashboard, source), _fix(dashboard, source, at))


def _sources(dashboard: Dashboard) -> Iterator[tuple[str, DataSource]]:
    """Yield each data source where it is written, with what asks it."""
    for panel in dashboard.panels:
        # A row asks nothing, whatever an old export says of it.
        if not panel.library and panel.type != "row":
            yield panel.name, panel.source
            yield from ((panel.name, source) for source in _of_targets(panel))
    for variable in dashboard.variables:
        if variable.type == "query":
            yield f"variable {variable.name}", variable.source
    for value in dashboard.root["annotations"]["list"]:
        yield f"annotation {value['name'].text}".rstrip(), data_source(value["datasource"])


def _of_targets(panel: Panel) -> Iterator[DataSource]:
    # A query that names the panel's own source is one finding with the panel.
    for target in panel.targets:
        if target.source.value.way != panel.source.value.way and target.source.uid != panel.source.uid:
            yield target.source


def _hint(dashboard: Dashboard, source: DataSource) -> str:
    names = _choices(dashboard, source)
    if names:
        return f"ask the variable: ${{{names[0]}}}"
    return 'add a variable of type "datasource" and ask ${datasource}'


def _choices(dashboard: Dashboard, source: DataSource) -> list[str]:
    return [
        variable.name
        for variable in dashboard.variables
        if variable.type == "datasource" and source.type and variable.query == source.type
    ]


def _fix(dashboard: Dashboard, source: DataSource, at: Value) -> Fix | None:
    names = _choices(dashboard, source)
    # With two variables of the type only a person knows which one is meant.
    if len(names) != 1:
        return None
    _, start, end = at.span
    name = f"${{{names[0]}}}"
    return Fix(
        f"ask the data source that the variable {names[0]} chooses", (Edit(start, end, json.dumps(name)),)
    )


CHECK = Check("data-source-fixed", "warning", ("dashboard",), _run)
