"""The first route takes what no other one wants: its receiver must tell somebody."""

from __future__ import annotations

from collections.abc import Iterator

from obs.lint.check import Check, Finding
from obs.lint.project import Project
from obs.lint.read.alertmanager import Configuration


def _run(project: Project) -> Iterator[Finding]:
    for config in project.of(Configuration):
        route = config.route
        if (
            route is None
            or config.is_part
            or not config.silent(route.receiver)
            or "receiver" not in route.own
        ):
            continue
        # Routes whose last one takes everything leave nothing to the first.
        if any(not child.written for child in route.routes):
            continue
        message = f"alerts that no route takes end at {route.receiver}, which tells nobody"
        hint = "a misspelt label is enough to lose an alert: name a receiver that somebody reads"
        yield Finding(route.own["receiver"].node.span, message, hint)


CHECK = Check("route-catch-all", "warning", ("alertmanager",), _run)
