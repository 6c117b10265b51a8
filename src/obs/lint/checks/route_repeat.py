"""A repeat interval that is no multiple of the group interval is rounded up to one."""

from __future__ import annotations

from collections.abc import Iterator

from obs.generate.model import Duration
from obs.lint.check import Check, Finding
from obs.lint.project import Project
from obs.lint.read.alertmanager import Configuration, Route


def _run(project: Project) -> Iterator[Finding]:
    for config in project.of(Configuration):
        for route in config.route.all if config.route else ():
            yield from _judged(route)


def _judged(route: Route) -> Iterator[Finding]:
    entry = route.own.get("repeat_interval") or route.own.get("group_interval")
    try:
        interval, repeat = (Duration.parse(route.times[key]) for key in ("group_interval", "repeat_interval"))
    except ValueError:
        return
    if entry is None or not interval or not repeat.milliseconds % interval.milliseconds:
        return
    times = repeat.milliseconds // interval.milliseconds + 1
    message = f"repeat_interval {repeat} with group_interval {interval}: repeated every {interval * times}"
    yield Finding(
        entry.node.span, message, "Alertmanager looks at a group once an interval; make it a multiple"
    )


CHECK = Check("route-repeat", "info", ("alertmanager",), _run)
