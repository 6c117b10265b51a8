"""A number without a unit is read as the reader likes: seconds, milliseconds, a share, a percentage."""

from __future__ import annotations

from collections.abc import Iterator

from obs.lint.check import Check, Finding
from obs.lint.panels import WITH_UNIT
from obs.lint.project import Project
from obs.lint.read.grafana import Dashboard, Panel


def _run(project: Project) -> Iterator[Finding]:
    for dashboard in project.of(Dashboard):
        for panel in dashboard.panels:
            if panel.type in WITH_UNIT and not panel.library and panel.targets and not _has_unit(panel):
                hint = 'fieldConfig.defaults.unit, such as "s", "percentunit", "reqps", "bytes"; "none" says so on purpose'
                yield Finding(panel.heading.head, f"{panel.name} has no unit", hint)


def _has_unit(panel: Panel) -> bool:
    if panel.value.word("fieldConfig", "defaults", "unit"):
        return True
    overrides = panel.value["fieldConfig"]["overrides"]
    if any(item["id"].text == "unit" for override in overrides for item in override["properties"]):
        return True
    # Value mappings turn numbers into words, which need no unit.
    if panel.defaults["mappings"].data:
        return True
    old = [panel.value["format"].text, *(axis["format"].text for axis in panel.value["yaxes"])]
    heat = panel.value["options"]["yAxis"]["unit"].text or panel.value["yAxis"]["format"].text
    return bool(heat) or any(unit for unit in old)


CHECK = Check("panel-without-unit", "warning", ("dashboard",), _run)
