"""A link of a runbook to a file or heading that does not exist."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from obs.errors import suggest
from obs.lint.check import Check, Finding
from obs.lint.project import Project
from obs.lint.read.runbooks import Link, Page, read
from obs.lint.source import Source


def _run(project: Project) -> Iterator[Finding]:
    pages = {_real(page.source.file): page for page in project.of(Page)}
    for page in list(pages.values()):
        for link in page.links:
            parts = urlsplit(link.target)
            # Addresses on the network are not asked; those of a site's root depend on where it is published.
            if parts.scheme or parts.netloc or parts.path.startswith("/") or "{{" in link.target:
                continue
            yield from _judged(page, link, unquote(parts.path), unquote(parts.fragment), pages)


def _judged(page: Page, link: Link, path: str, anchor: str, pages: dict[Path, Page]) -> Iterator[Finding]:
    target: Page | None = page
    if path:
        file = Path(page.source.file).parent / path
        if not file.exists():
            message = f"{page.name}: there is no file {path!r} beside it"
            near = suggest(file.name, _beside(file)) if file.parent.is_dir() else None
            yield Finding(page.at(link.line, link.target), message, near)
            return
        target = pages.get(_real(str(file))) or _read(file)
    if anchor and target is not None and anchor.lower() not in {known.lower() for known in target.anchors}:
        where = "it" if target is page else path
        message = f"{page.name}: {where} has no heading #{anchor}"
        yield Finding(page.at(link.line, link.target), message, suggest(anchor, target.anchors))


def _read(file: Path) -> Page | None:
    try:
        text = file.read_text(encoding="utf-8") if file.suffix == ".md" else None
    except (OSError, UnicodeDecodeError):
        return None
    return read(Source(str(file), text)) if text is not None else None


def _beside(file: Path) -> list[str]:
    return [other.name for other in file.parent.iterdir()]


def _real(file: str) -> Path:
    return Path(file).resolve()


CHECK = Check("runbook-link-dead", "error", ("runbook",), _run)
