"""A route to a receiver that does not exist."""

from __future__ import annotations

from collections.abc import Iterator

from obs.errors import suggest
from obs.lint.check import Check, Finding
from obs.lint.project import Project
from obs.lint.read.alertmanager import Configuration, texts, value


def _run(project: Project) -> Iterator[Finding]:
    for config in project.of(Configuration):
        receivers = [receiver.name for receiver in config.receivers if receiver.name]
        intervals = [interval.value for interval in config.intervals]
        for route in config.route.all if config.route else ():
            named = value(route.own.get("receiver"))
            if named is not None and named.value not in receivers:
                message = f"there is no receiver {named.value!r}"
                yield Finding(named.span, message, suggest(named.value, receivers) or _listed(receivers))
            for key in ("mute_time_intervals", "active_time_intervals"):
                for interval in texts(route.own.get(key)):
                    if interval.value not in intervals:
                        message = f"there is no time interval {interval.value!r}"
                        hint = suggest(interval.value, intervals) or _listed(intervals)
                        yield Finding(interval.span, message, hint)


def _listed(names: list[str]) -> str:
    return f"defined: {', '.join(sorted(set(names))) or 'none'}"


CHECK = Check("receiver-undefined", "error", ("alertmanager",), _run)
