"""A mitigation that says nothing to do."""

from __future__ import annotations

from collections.abc import Iterator

from obs.lint.check import Check, Finding
from obs.lint.project import Project
from obs.lint.read.runbooks import Page

#: Words: with fewer nobody is told anything.
_A_SENTENCE = 8


def _run(project: Project) -> Iterator[Finding]:
    for page in project.of(Page):
        section = page.section("Mitigation")
        if page.is_index or section is None:
            continue
        first, end = section
        steps = any(first <= line < end for line in page.items)
        commands = any(first <= block.line < end for block in page.blocks)
        if not steps and not commands:
            message = f"{page.name}: no action under Mitigation"
            prose = " ".join(page.source.line(number) for number in range(first, end)).split()
            yield Finding(
                page.at(first - 1),
                message if len(prose) < _A_SENTENCE else f"{page.name}: Mitigation is prose without steps",
                "steps in order, what can be undone first, each with its effect",
                severity=None if len(prose) < _A_SENTENCE else "info",
            )


CHECK = Check("runbook-mitigation", "warning", ("runbook",), _run)
