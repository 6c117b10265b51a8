"""A configuration that Alertmanager would refuse, or read otherwise than it was meant."""

from __future__ import annotations

from collections.abc import Iterator

from obs.lint.check import Check, Finding
from obs.lint.project import Project
from obs.lint.read.alertmanager import Configuration


def _run(project: Project) -> Iterator[Finding]:
    for config in project.of(Configuration):
        for fault in config.faults:
            yield Finding(fault.span, fault.message, fault.hint)


CHECK = Check("broken-alertmanager", "error", ("alertmanager",), _run)
