"""The window of a rate in a panel: fixed, or Grafana's step, in place of $__rate_interval."""

from __future__ import annotations

import re
from collections.abc import Iterator

from obs.lint.check import Check, Finding
from obs.lint.problem import Edit, Fix
from obs.lint.project import Project
from obs.lint.read.dashboard_queries import query_of
from obs.lint.read.grafana import Dashboard, Panel, Target

#: A function over a counter's increase, its selector, and the window.
_WINDOW = re.compile(
    r"\b(?P<func>rate|irate|increase|delta|idelta|deriv)\s*\(\s*[^()\[\]]*\[(?P<window>[^\]:]+)\]"
)
_STEP = re.compile(r"\$__interval|\$\{__interval\}|\[\[__interval\]\]|\$interval\b|\$\{interval\}")
#: Most panels have no other.
_RIGHT = "[$__rate_interval]"
#: Show the last value: a window of an hour is what somebody wants to know.
_ONE_VALUE = frozenset({"stat", "gauge", "bargauge", "table", "piechart", "singlestat"})
_FIXED = re.compile(r"\s*(?:\d+(?:ms|[smhdwy]))+\s*\Z")


def _run(project: Project) -> Iterator[Finding]:
    for dashboard in project.of(Dashboard):
        for panel, target in dashboard.targets:
            if target.language == "promql":
                yield from _judged(dashboard, panel, target)


def _judged(dashboard: Dashboard, panel: Panel, target: Target) -> Iterator[Finding]:
    if "[" not in target.text.text.replace(_RIGHT, ""):
        return
    found = query_of(panel, target)
    if found is None:
        return
    for match in _WINDOW.finditer(found.text.value):
        window = match["window"].strip()
        if _STEP.fullmatch(window) and window.strip("${}[]") not in dashboard.variable:
            at = found.text.at(match.start("window"), len(match["window"]))
            # What a bar gained in its own step is another figure than what any window did.
            gained = match["func"] in {"increase", "delta"}
            fix = Fix("use $__rate_interval", (Edit(at.start, at.end, "$__rate_interval"),))
            message = f"{panel.name}: a window of one step holds too few samples when one zooms in"
            hint = "$__rate_interval is never less than four scrapes"
            if gained:
                hint = "an interval of the panel, such as 1m, keeps the step from being shorter than that"
            has_least = bool(panel.value.word("interval") or target.value.word("interval"))
            yield Finding(
                at, message, hint, None if gained else fix, "info" if gained and has_least else None
            )
        elif _FIXED.match(window) and panel.type not in _ONE_VALUE and not target.value["instant"].data:
            message = f"{panel.name}: the window {window} stays as it is when one zooms out, and samples fall between"
            at = found.text.at(match.start("window"), len(match["window"]))
            yield Finding(at, message, "$__rate_interval grows with the step of the graph", severity="info")


CHECK = Check("panel-rate-window", "warning", ("dashboard",), _run)
