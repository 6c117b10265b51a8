"""A link of a runbook to a file or heading that does not exist, or of a dashboard to a runbook."""

from __future__ import annotations

from collections.abc import Iterator

from obs.lint import links, page_links, runbook_links
from obs.lint.check import Check, Finding
from obs.lint.project import Project


def _run(project: Project) -> Iterator[Finding]:
    for page, link, fault in page_links.followed(project):
        if fault is not None:
            message, hint = fault
            yield Finding(page.at(link.line, link.target), f"{page.name}: {message}", hint)
    for owner, value, words in links.from_dashboards(project, runbook_links.library(project)):
        if words:
            yield Finding(value.head, f"{owner}: its link to a runbook {words}")


CHECK = Check("runbook-link-dead", "error", ("runbook", "dashboard"), _run)
