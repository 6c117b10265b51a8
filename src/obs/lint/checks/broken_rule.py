"""A rule file whose form Prometheus would refuse."""

from __future__ import annotations

from collections.abc import Iterator

from obs.lint.check import Check, Finding
from obs.lint.project import Project
from obs.lint.read.rules import RuleFile


def _run(project: Project) -> Iterator[Finding]:
    for file in project.of(RuleFile):
        for fault in file.faults:
            yield Finding(fault.span, fault.message, fault.hint)


CHECK = Check("broken-rule", "error", ("rules",), _run)
