"""A receiver that no route names."""

from __future__ import annotations

from collections.abc import Iterator

from obs.lint.check import Check, Finding
from obs.lint.project import Project
from obs.lint.read.alertmanager import Configuration


def _run(project: Project) -> Iterator[Finding]:
    for config in project.of(Configuration):
        used = {route.receiver for route in config.route.all} if config.route else set()
        for receiver in config.receivers:
            if receiver.name and receiver.name not in used:
                message = f"no route leads to the receiver {receiver.name!r}"
                yield Finding(receiver.span, message, "give it a route, or delete it")


CHECK = Check("receiver-unused", "warning", ("alertmanager",), _run)
