"""An alert switched off for a reason that says nothing."""

from __future__ import annotations

from collections.abc import Iterator

from obs.lint.check import Check, Finding
from obs.lint.project import Project
from obs.lint.read.specs import SpecFile

_EMPTY = frozenset(
    {"todo", "tbd", "fixme", "n/a", "na", "none", "-", "disabled", "off", "not needed", "unused", "later",
     "temporary", "temporarily", "noisy", "flaky", "see ticket", "wip"}
)  # fmt: skip


def _run(project: Project) -> Iterator[Finding]:
    for spec in project.of(SpecFile):
        for alert, tuning in sorted(spec.service.tunings.items()) if spec.service else ():
            words = (tuning.disabled or "").strip().strip(".!").lower()
            if tuning.disabled is not None and (words in _EMPTY or len(words) < 4):
                message = f"{alert} is switched off because {tuning.disabled!r}, which explains nothing"
                hint = "what is known, who will change it, and when"
                place = tuning.places.get("disabled", tuning.place)
                yield Finding(place, message, hint, length=len(tuning.disabled))


CHECK = Check("disabled-without-reason", "warning", ("spec",), _run)
