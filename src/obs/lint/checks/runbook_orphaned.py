"""A page that no alert leads to."""

from __future__ import annotations

from collections.abc import Iterator

from obs.errors import suggest
from obs.lint import runbook_links
from obs.lint.check import Check, Finding
from obs.lint.project import Project


def _run(project: Project) -> Iterator[Finding]:
    if not project.alerts:
        return
    pages = runbook_links.library(project)
    used = {id(target.page) for _, _, target in runbook_links.leading(project, pages)}
    names = {alert.name.value for alert in project.alerts}
    for page in pages.pages.values():
        if id(page) not in used:
            hint = (
                suggest(page.name, names - {page.name})
                or "the alert was renamed or deleted: move or delete the page"
            )
            line = page.title.line if page.title else 1
            yield Finding(page.at(line), f"no alert leads to the page {page.name}", hint)


CHECK = Check("runbook-orphaned", "warning", ("runbook",), _run)
