"""A mitigation that says nothing to do."""

from __future__ import annotations

from collections.abc import Iterator

from obs.lint.check import Check, Finding
from obs.lint.project import Project
from obs.lint.read.runbooks import Page


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
            yield Finding(
                page.at(first - 1), message, "steps in order, what can be undone first, each with its effect"
            )


CHECK = Check("runbook-mitigation", "warning", ("runbook",), _run)
