"""The links of a page to files beside it and to headings, followed on the disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from obs.errors import suggest
from obs.lint import urls
from obs.lint.project import Project
from obs.lint.read.runbooks import Link, Page, read
from obs.lint.source import Source


def followed(page: Page, project: Project) -> Iterator[tuple[Link, tuple[str, str | None] | None]]:
    """Yield each link that can be followed, with what is wrong and a hint, or None when it leads somewhere.

    Addresses on the network are not asked; those of a site's root depend on where it is published.
    """
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
        yield link, _judged(page, unquote(parts.path), unquote(parts.fragment), project)


def _judged(page: Page, path: str, anchor: str, project: Project) -> tuple[str, str | None] | None:
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
        target = _page(file, project)
    if anchor and target is not None and anchor.lower() not in {known.lower() for known in target.anchors}:
        where = "it" if target is page else path
        return f"{where} has no heading #{anchor}", suggest(anchor, target.anchors)
    return None


def _page(file: Path, project: Project) -> Page | None:
    real = file.resolve()
    for page in project.of(Page):
        if page.name == file.stem and Path(page.source.file).resolve() == real:
            return page
    try:
        text = file.read_text(encoding="utf-8") if file.suffix == ".md" else None
    except (OSError, UnicodeDecodeError):
        return None
    return read(Source(str(file), text)) if text is not None else None
