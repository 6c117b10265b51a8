"""Links between pages: none is dead, and every page can be found from the index."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

_ROOT = Path(__file__).parents[2]
_DOCS = _ROOT / "docs"
_PAGES = sorted({*_ROOT.glob("*.md"), *_DOCS.rglob("*.md")})
_MARKDOWN = MarkdownIt("commonmark").enable("table")


def _links(page: Path) -> Iterator[str]:
    """Yield what the page links to; what stands in code is no link."""
    for block in _MARKDOWN.parse(page.read_text(encoding="utf-8")):
        for token in block.children or ():
            if token.type == "link_open":
                yield str(token.attrs["href"])
            elif token.type == "image":
                yield str(token.attrs["src"])


def _anchors(page: Path) -> set[str]:
    """Return the anchors of the page's headings, as a forge makes them."""
    tokens = _MARKDOWN.parse(page.read_text(encoding="utf-8"))
    titles = [after.content for token, after in pairwise(tokens) if token.type == "heading_open"]
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def _targets(page: Path) -> Iterator[tuple[Path, str]]:
    for link in _links(page):
        if not re.match(r"[a-z][a-z0-9+.-]*:", link):
            path, _, anchor = link.partition("#")
            yield ((page.parent / path).resolve() if path else page), anchor


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: str(page.relative_to(_ROOT)))
def test_no_link_is_dead(page: Path) -> None:
    for target, anchor in _targets(page):
        assert target.exists(), target
        assert not anchor or anchor in _anchors(target), f"{target}#{anchor}"


def test_every_page_can_be_found_from_the_index() -> None:
    index = _DOCS / "README.md"
    seen, left = {index}, [index]
    while left:
        found = {target for target, _ in _targets(left.pop()) if target.suffix == ".md" and target.exists()}
        left += sorted(found - seen)
        seen |= found

    assert sorted(str(page) for page in set(_DOCS.rglob("*.md")) - seen) == []
