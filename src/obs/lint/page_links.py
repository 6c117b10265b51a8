"""The links of a page to files beside it and to headings, followed on the disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias
from urllib.parse import unquote

from obs.errors import suggest
from obs.lint import urls
from obs.lint.project import Project
from obs.lint.read.runbooks import Link, Page, read
from obs.lint.source import Source

#: What is wrong with a link and a hint, or None when it leads somewhere.
Fault: TypeAlias = "tuple[str, str | None] | None"


def followed(project: Project) -> Iterator[tuple[Page, Link, Fault]]:
    """Yield each link of a page that can be followed, with what is wrong and a hint, or None when nothing is.

    Addresses on the network are not asked; those of a site's root depend on where it is published.
    """
    pages = project.of(Page)
    known = {Path(page.source.file).resolve(): page for page in pages}
    for page in pages:
        for link, fault in _followed(page, known):
            yield page, link, fault


def _followed(page: Page, pages: dict[Path, Page]) -> Iterator[tuple[Link, Fault]]:
    for link in page.links:
        parts = urls.split(link.target)
        if (
            parts.scheme
            or parts.netloc
            or parts.path.startswith("/")
            or "{{" in link.target
            or not link.target
        ):
            continue
        yield link, _judged(page, unquote(parts.path), unquote(parts.fragment), pages)


def _judged(page: Page, path: str, anchor: str, pages: dict[Path, Page]) -> Fault:
    target: Page | None = page
    if path:
        file = Path(page.source.file).parent / path
        if not file.exists():
            near = (
                suggest(file.name, (other.name for other in file.parent.iterdir()))
                if file.parent.is_dir()
                else None
            )
            return f"there is no file {path!r} beside it", near
        target = pages.get(file.resolve()) or _page(file)
    if anchor and target is not None and anchor.lower() not in {known.lower() for known in target.anchors}:
        where = "it" if target is page else path
        return f"{where} has no heading #{anchor}", suggest(anchor, target.anchors)
    return None


def _page(file: Path) -> Page | None:
    try:
        text = file.read_text(encoding="utf-8") if file.suffix == ".md" else None
    except (OSError, UnicodeDecodeError):
        return None
    return read(Source(str(file), text)) if text is not None else None
