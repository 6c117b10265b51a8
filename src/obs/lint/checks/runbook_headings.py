"""A runbook without the headings that people look for at night."""

from __future__ import annotations

from collections.abc import Iterator

from obs.lint.check import Check, Finding
from obs.lint.project import Project
from obs.lint.read.runbooks import HEADINGS, Page

#: What every collection of runbooks has; the others are only mentioned.
REQUIRED = HEADINGS[:4]


def _run(project: Project) -> Iterator[Finding]:
    for page in project.of(Page):
        if page.is_index:
            continue
        at = page.at(page.title.line if page.title else 1)
        missing = [heading for heading in HEADINGS if page.section(heading) is None]
        hard = [heading for heading in missing if heading in REQUIRED]
        if hard:
            yield Finding(
                at, f"{page.name} has no heading {_listed(hard)}", f"every page has {_listed(REQUIRED)}"
            )
        elif missing:
            yield Finding(at, f"{page.name} has no heading {_listed(missing)}", severity="info")
        for heading in HEADINGS:
            found = page.section(heading)
            if found is not None and _is_empty(page, *found):
                yield Finding(page.at(found[0] - 1), f"{page.name}: nothing stands under {heading}")


def _is_empty(page: Page, first: int, end: int) -> bool:
    lines = (page.source.line(number).strip() for number in range(first, end))
    return not any(line and not line.startswith("<!--") for line in lines)


def _listed(words: list[str] | tuple[str, ...]) -> str:
    return ", ".join(words)


CHECK = Check("runbook-headings", "warning", ("runbook",), _run)
