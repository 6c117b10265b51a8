"""An alert whose runbook_url leads to no page of this project."""

from __future__ import annotations

from collections.abc import Iterator

from obs.errors import suggest
from obs.lint import runbook_links
from obs.lint.check import Check, Finding
from obs.lint.project import Project


def _run(project: Project) -> Iterator[Finding]:
    pages = runbook_links.library(project)
    bases = runbook_links.bases(project)
    for alert, text, target in runbook_links.leading(project, pages) if pages.pages else ():
        elsewhere = bases and not any(runbook_links.is_under(text.value, base) for base in bases)
        if elsewhere or "://" not in text.value:
            continue
        if target.page is None:
            names = {page.name for page in pages.pages.values()}
            hint = (
                suggest(alert.name.value, names - {alert.name.value})
                or "obs generate writes one for its own alerts"
            )
            yield Finding(text.span, f"{alert.name.value}: no page belongs to its runbook_url", hint)
        elif target.anchor and target.anchor not in target.page.anchors:
            message = f"{alert.name.value}: {target.page.source.file} has no heading #{target.anchor}"
            yield Finding(text.span, message, suggest(target.anchor, target.page.anchors))


CHECK = Check("runbook-missing", "error", ("rules",), _run)
