"""Which page an alert's `runbook_url` leads to, and which alerts lead to a page.

A page is known by its path below the folder `runbooks` without suffix: ``runbooks/shop/HighLatency.md`` is what an
address leads to that ends with ``/shop/HighLatency``, with or without a suffix or a slash, in any case.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import NamedTuple
from urllib.parse import unquote

from obs.lint import urls
from obs.lint.project import Project
from obs.lint.read.rules import Rule
from obs.lint.read.runbooks import FOLDERS, Page
from obs.lint.read.specs import SpecFile
from obs.lint.source import Text

ANNOTATION = "runbook_url"
_LABEL = re.compile(r"\{\{\s*\$labels\.(\w+)\s*(?:\|\s*\w+\s*)*\}\}")
_SUFFIX = re.compile(r"(?:\.(?:md|html?))?/*\Z", re.IGNORECASE)


class Target(NamedTuple):
    """Where an address leads."""

    page: Page | None
    anchor: str


@dataclass(frozen=True, slots=True)
class Library:
    """The pages that were read."""

    pages: dict[tuple[str, ...], Page]

    def target(self, url: str) -> Target:
        """Return the page that `url` leads to, None when no page of the library is called so."""
        parts = urls.split(url)
        way = _parts(_SUFFIX.sub("", unquote(parts.path)))
        for length in range(len(way), 0, -1):
            page = self.pages.get(way[-length:])
            if page is not None:
                return Target(page, parts.fragment)
        return Target(None, parts.fragment)


def library(project: Project) -> Library:
    """Return the pages of a project, the lists of pages left out."""
    pages = (page for page in project.of(Page) if not page.is_index)
    return Library({_key(page): page for page in pages})


def address(alert: Rule) -> Text | None:
    """Return the address of an alert's runbook as it was written; None when it has none."""
    entry = alert.annotations.get(ANNOTATION)
    return entry.node.text if entry is not None else None


def filled(url: str, alert: Rule) -> str:
    """Return an address with the labels filled in that the rule itself writes down."""
    return _LABEL.sub(lambda match: alert.label(match[1]) or match[0], url)


def leading(project: Project, pages: Library) -> Iterator[tuple[Rule, Text, Target]]:
    """Yield each alert that has an address, with what it leads to."""
    for alert in project.alerts:
        text = address(alert)
        url = filled(text.value, alert) if text is not None else ""
        # What only a firing alert can fill in cannot be followed here.
        if text is not None and url.strip() and "{{" not in url:
            yield alert, text, pages.target(url)


def bases(project: Project) -> tuple[str, ...]:
    """Return where runbooks are published: what the settings say, else what the specs say."""
    if project.settings.runbooks:
        return (project.settings.runbooks.rstrip("/"),)
    services: Sequence[SpecFile] = project.of(SpecFile)
    return tuple(sorted({spec.service.links.runbooks.rstrip("/") for spec in services if spec.service}))


def inferred(project: Project, pages: Library) -> tuple[str, ...]:
    """Return where runbooks are published by the addresses of alerts that lead to a page."""
    found = set()
    for alert, text, target in leading(project, pages):
        url = filled(text.value, alert).partition("#")[0].partition("?")[0]
        way = _SUFFIX.sub("", url)
        if target.page is not None:
            found.add(way[: len(way) - len("/".join(_key(target.page)))].rstrip("/"))
    # Without a host of its own an address may be one of anything.
    return tuple(sorted(base for base in found if urls.split(base).netloc))


def is_under(url: str, base: str) -> bool:
    """Tell whether an address stands below a base."""
    return url == base or url.startswith(f"{base}/")


def _key(page: Page) -> tuple[str, ...]:
    parts = PurePosixPath(page.source.name.replace("\\", "/")).with_suffix("").parts
    last = max(
        (number for number, part in enumerate(parts) if part.lower() in FOLDERS), default=len(parts) - 2
    )
    # A service may be called what the folder of all pages is called.
    while last > 0 and parts[last - 1].lower() in FOLDERS:
        last -= 1
    return tuple(part.lower() for part in parts[last + 1 :])


def _parts(path: str) -> tuple[str, ...]:
    return tuple(part.lower() for part in path.split("/") if part)
