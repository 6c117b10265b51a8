"""An objective with a budget a group, and no word on how many groups there are."""

from __future__ import annotations

from collections.abc import Iterator

from obs.lint.check import Check, Finding
from obs.lint.project import Project
from obs.lint.read.specs import SpecFile


def _run(project: Project) -> Iterator[Finding]:
    for spec in project.of(SpecFile):
        slos = spec.node("slos")
        for entry in slos.entries if slos is not None else ():
            keys = entry.node.keys
            if "by" in keys and "max_groups" not in keys and not keys["by"].node.is_null:
                message = f"objective {entry.name} has a budget a group and does not say how many groups there may be"
                yield Finding(keys["by"].span, message, "max_groups: twice as many as there are today")


CHECK = Check("slo-groups-unbounded", "info", ("spec",), _run)
