"""Words that stand for what nobody has written yet."""

from __future__ import annotations

import re
from collections.abc import Iterator

from obs.lint.check import Check, Finding
from obs.lint.project import Project
from obs.lint.read.runbooks import Page

_WORDS = re.compile(
    r"\b(?:TODO|TBD|TBA|TBC|FIXME|XXX|WIP)\b|\?\?\?"
    r"|(?i:\blorem ipsum\b|\bcoming soon\b|\bplaceholder\b|\bto-do\b"
    r"|\bto be (?:written|done|defined|determined|added|filled in)\b|\bfill (?:this )?in\b(?=\s*[:.]|\s*$))"
)


def _run(project: Project) -> Iterator[Finding]:
    for page in project.of(Page):
        for line, text in page.prose:
            match = _WORDS.search(text)
            if match is not None:
                message = f"{page.name}: {match.group()!r} stands where the answer should be"
                yield Finding(page.at(line, match.group()), message)


CHECK = Check("runbook-placeholder", "warning", ("runbook",), _run)
