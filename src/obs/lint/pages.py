"""The page of each check, as the repository and the wheel carry it."""

from __future__ import annotations

from pathlib import Path

from obs.errors import ObsError
from obs.lint.register import find

#: Second-level headings of every page, in this order.
HEADINGS = ("What", "Why", "Bad", "Good", "How to silence")
_PACKAGE = Path(__file__).parents[1]
_PLACES = (_PACKAGE / "_bundle" / "lint", _PACKAGE.parents[1] / "docs" / "reference" / "lint")


def page(check: str) -> str:
    """Return the page of a check as Markdown; raise `ConfigError` when there is no such check."""
    name = f"{find(check).id}.md"
    for place in _PLACES:
        if (place / name).is_file():
            return (place / name).read_text(encoding="utf-8")
    raise ObsError(f"the page of {check} is not installed", name)
