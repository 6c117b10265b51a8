"""A page whose title is not the name of its alert."""

from __future__ import annotations

import re
from collections.abc import Iterator

from obs.lint import runbook_links
from obs.lint.check import Check, Finding
from obs.lint.project import Project


def _run(project: Project) -> Iterator[Finding]:
    pages = runbook_links.library(project)
    names: dict[int, set[str]] = {}
    for alert, _, target in runbook_links.leading(project, pages):
        names.setdefault(id(target.page), set()).add(alert.name.value)
    for page in pages.pages.values():
        # Without rule files the file's name stands for the alert.
        known = names.get(id(page), {page.name})
        title, line = (page.title.text, page.title.line) if page.title else page.front_title or ("", 1)
        if title not in known:
            expected = " or ".join(sorted(known))
            message = f"{page.name}: the title is {title!r}" if title else f"{page.name} has no title"
            # A title in words is found by people, though not by those who search for the name.
            spelt = _letters(title) in set(map(_letters, known))
            hint = f"the name of its alert: {expected}"
            yield Finding(page.at(line), message, hint, severity="info" if spelt else None)


def _letters(name: str) -> str:
    """Return a name without what people put between its words."""
    return re.sub(r"[\s_-]", "", name).casefold()


CHECK = Check("runbook-title", "warning", ("runbook",), _run)
