"""Pages are read as Markdown and not as lines that look like it."""

from __future__ import annotations

from textwrap import dedent

from obs.lint.read.runbooks import read, slug
from obs.lint.source import Source

PAGE = read(
    Source(
        "runbooks/shop/HttpErrorRatioHigh.md",
        dedent(
            """\
        <!-- a note: TODO is no prose -->
        # HttpErrorRatioHigh

        Requests fail, see [impact](#impact) and
        [the other page](../shop/Other.md#meaning).

        ## Meaning

        ```promql
        # Diagnosis
        up == 0
        ```

        ## Impact and `cost`

        1. Do this.

           ```promql
           sum(up)
           ```

        2. Then ![that](graph.png).

        ## Meaning
        <a id="own"></a>
        """
        ),
    )
)


def test_headings_have_the_anchors_of_a_code_host() -> None:
    assert [(h.level, h.text, h.anchor, h.line) for h in PAGE.headings] == [
        (1, "HttpErrorRatioHigh", "httperrorratiohigh", 2),
        (2, "Meaning", "meaning", 7),
        (2, "Impact and cost", "impact-and-cost", 14),
        (2, "Meaning", "meaning-1", 24),
    ]
    assert "own" in PAGE.anchors
    assert slug("If X: go to Y's page (2)") == "if-x-go-to-ys-page-2"


def test_links_know_their_line() -> None:
    assert [(link.target, link.line) for link in PAGE.links] == [
        ("#impact", 4),
        ("../shop/Other.md#meaning", 5),
        ("graph.png", 22),
    ]


def test_blocks_know_their_language_section_and_first_line() -> None:
    assert [(b.language, b.text, b.line, b.section) for b in PAGE.blocks] == [
        ("promql", "# Diagnosis\nup == 0\n", 10, "Meaning"),
        ("promql", "sum(up)\n", 19, "Impact and `cost`"),
    ]


def test_a_section_ends_at_the_next_heading_of_its_level() -> None:
    assert PAGE.section("meaning") == (8, 14)
    assert PAGE.section("Impact and Cost") == (15, 24)
    assert PAGE.section("Mitigation") is None


def test_comments_and_code_are_no_prose() -> None:
    assert "TODO" not in " ".join(text for _, text in PAGE.prose)
    assert (4, "Requests fail, see impact and") in PAGE.prose
    assert PAGE.items == (16, 22)
    assert PAGE.name == "HttpErrorRatioHigh"


def test_a_part_of_a_line_can_be_pointed_at() -> None:
    assert str(PAGE.at(5, "../shop").place) == "runbooks/shop/HttpErrorRatioHigh.md:5:18"
    assert PAGE.at(7, "not there").length == len("## Meaning")


def test_an_address_stays_as_it_was_written_so_that_it_can_be_pointed_at() -> None:
    page = read(Source("a.md", "See **[there](<../ö b.md#Mü>)**.\n"))

    (link,) = page.links
    assert link.target == "../ö b.md#Mü"
    assert page.at(link.line, link.target).place.column == 16
