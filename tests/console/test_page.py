from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs.console.page import build

#: Everything that the renderer may write by itself.
OUR_TAGS = {
    "a", "blockquote", "br", "code", "div", "em", "figcaption", "figure", "h1", "h2", "h3", "h4", "h5", "h6",
    "hr", "img", "li", "ol", "p", "pre", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
OUR_ATTRIBUTES = {"alt", "class", "href", "id", "rel", "src", "start", "style", "tabindex", "target", "title"}


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.comments: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)


def _tags(body: str) -> _Tags:
    parser = _Tags()
    parser.feed(body)
    parser.close()
    return parser


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "a <img src=x onerror=alert(1)> b",
        "<div onclick=alert(1)>\nx\n</div>",
        "<!-- note --><script>alert(1)</script>",
        "<!-- a\n--> <svg onload=alert(1)>",
        "<style>body{display:none}</style>",
        "- <iframe src=//example.org></iframe>",
        "| <b>x</b> |\n|---|\n| <i>y</i> |",
        "<?php x ?>",
        "<!DOCTYPE html>",
        "<![CDATA[<script>]]>",
    ],
)
def test_raw_markup_is_shown_as_text(text: str) -> None:
    found = _tags(build(text, "x").body)

    assert {tag for tag, _ in found.tags} <= OUR_TAGS - {"img"}
    assert found.comments == []


@given(st.text(alphabet=st.sampled_from("<>!-/ab\n`[]()#*|:=\"'&;\\x "), max_size=60))
def test_no_text_brings_a_tag_or_an_attribute_of_its_own(text: str) -> None:
    for tag, attributes in _tags(build(text, "x").body).tags:
        assert tag in OUR_TAGS
        assert set(attributes) <= OUR_ATTRIBUTES


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "data:text/html,x", "vbscript:x", "JAVASCRIPT:x", "file:///x"]
)
def test_an_address_that_runs_code_is_no_link(address: str) -> None:
    assert not [tag for tag, _ in _tags(build(f"[x]({address})", "x").body).tags if tag == "a"]


def test_comments_vanish() -> None:
    assert build("<!-- obs:begin facts -->\n\nwords <!-- inline -->\n", "x").body == "<p>words </p>\n"


def test_the_first_heading_is_the_title_and_leaves_the_body() -> None:
    page = build("# Http`Error`\n\nwords\n", "fallback")

    assert page.title == "HttpError"
    assert page.body == "<p>words</p>\n"


def test_a_page_without_a_heading_takes_the_fallback_title() -> None:
    assert build("words", "TargetDown").title == "TargetDown"


def test_the_contents_list_second_level_headings_with_unique_anchors() -> None:
    page = build("# T\n## Meaning\n### Detail\n## Meaning\n## `code` & more\n## 中\n", "x")

    assert [(heading.anchor, heading.title) for heading in page.headings] == [
        ("meaning", "Meaning"),
        ("meaning-2", "Meaning"),
        ("code-more", "code & more"),
        ("section", "中"),
    ]
    ids = [attributes["id"] for _, attributes in _tags(page.body).tags if "id" in attributes]
    assert ids == ["meaning", "detail", "meaning-2", "code-more", "section"]


def test_a_query_is_escaped_and_named_by_its_language() -> None:
    body = build('```promql\nup{a="<b>"} > 1\n```\n', "x").body

    assert "<figcaption>PromQL</figcaption>" in body
    assert "up{a=&quot;&lt;b&gt;&quot;} &gt; 1" in body


def test_the_language_of_a_block_cannot_bring_markup() -> None:
    found = _tags(build("```<img/src=x>\nx\n```\n", "x").body)

    assert "img" not in {tag for tag, _ in found.tags}


def test_links_elsewhere_open_apart_and_links_within_stay() -> None:
    links = [
        a for tag, a in _tags(build("[a](https://example.org) [b](#meaning)", "x").body).tags if tag == "a"
    ]

    assert links == [
        {"href": "https://example.org", "rel": "noopener noreferrer", "target": "_blank"},
        {"href": "#meaning"},
    ]
