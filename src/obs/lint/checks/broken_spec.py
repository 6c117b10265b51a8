"""A spec that the generator refuses."""

from __future__ import annotations

from collections.abc import Iterator

from obs.lint.check import Check, Finding
from obs.lint.project import Project
from obs.lint.read.specs import SpecFile


def _run(project: Project) -> Iterator[Finding]:
    seen: set[tuple[str, str]] = set()
    for spec in project.of(SpecFile):
        refusal = spec.refusal
        # What is wrong in a shared file is wrong for every spec that extends it.
        if refusal is not None and (str(refusal.place), refusal.message) not in seen:
            seen.add((str(refusal.place), refusal.message))
            yield Finding(refusal.place, refusal.message, refusal.hint)


CHECK = Check("broken-spec", "error", ("spec",), _run)
