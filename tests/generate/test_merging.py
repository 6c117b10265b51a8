from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs.errors import SpecError
from obs.generate.render.merging import merge, wrap
from obs.generate.render.runbook import merge as face

PARTS = ("facts", "meaning", "impact", "diagnosis")


def _page(*parts: str, text: str = "generated") -> str:
    return "\n\n".join(wrap(part, f"{text} {part}") for part in parts) + "\n"


def _after(page: str, part: str, words: str) -> str:
    end = f"<!-- obs:end {part} -->"
    return page.replace(end, f"{end}\n\n{words}\n")


#: Lines that people may write: anything but our markers.
words = st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n"), max_size=60).filter(
    lambda text: "obs:" not in text
)
orders = st.lists(st.sampled_from(PARTS), unique=True, min_size=1)


def test_a_new_page_is_what_was_generated() -> None:
    assert merge(_page("facts"), None) == _page("facts")
    assert merge(_page("facts"), " \n\n") == _page("facts")


def test_regenerating_an_untouched_page_changes_nothing() -> None:
    assert merge(_page(*PARTS), _page(*PARTS)) == _page(*PARTS)


def test_words_stay_after_the_part_that_they_follow() -> None:
    existing = _after(_page("facts", "meaning", text="old"), "facts", "Call Kim first.")

    merged = merge(_page("facts", "meaning", text="new"), existing)

    assert merged == _after(_page("facts", "meaning", text="new"), "facts", "Call Kim first.")


def test_edits_inside_a_generated_part_are_replaced() -> None:
    existing = _page("facts").replace("generated facts", "edited facts")

    assert merge(_page("facts"), existing) == _page("facts")


def test_words_at_the_top_and_at_the_end_stay() -> None:
    existing = f"Top words.\n\n{_page('facts')}\nEnd words.\n"

    assert merge(_page("facts"), existing) == existing


def test_a_new_part_appears_in_its_place_beside_kept_words() -> None:
    existing = _after(_page("facts", "impact"), "facts", "mine")

    merged = merge(_page("facts", "meaning", "impact"), existing)

    assert merged == _after(_page("facts", "meaning", "impact"), "facts", "mine")


def test_words_of_a_part_that_is_gone_move_to_the_part_before() -> None:
    existing = _after(_after(_page("facts", "meaning", "impact"), "facts", "first"), "meaning", "second")

    merged = merge(_page("facts", "impact"), existing)

    assert "generated meaning" not in merged
    assert merged.index("first") < merged.index("second") < merged.index("generated impact")


def test_words_of_a_first_part_that_is_gone_move_to_the_top() -> None:
    merged = merge(_page("impact"), _after(_page("facts", "impact"), "facts", "mine"))

    assert merged.index("mine") < merged.index("generated impact")


def test_line_ends_of_another_system_are_read() -> None:
    existing = _after(_page("facts", "meaning"), "facts", "mine").replace("\n", "\r\n")

    assert merge(_page("facts", "meaning"), existing) == _after(_page("facts", "meaning"), "facts", "mine")


@given(generated=orders, existing=orders, notes=st.lists(words, min_size=5, max_size=5))
def test_no_words_are_ever_lost(generated: list[str], existing: list[str], notes: list[str]) -> None:
    page = f"{notes[-1]}\n{_page(*existing)}"
    for part, note in zip(existing, notes, strict=False):
        page = _after(page, part, note)

    merged = merge(_page(*generated), page)

    for note in [*notes[: len(existing)], notes[-1]]:
        assert note.strip() in merged


@given(generated=orders, existing=orders, notes=st.lists(words, min_size=4, max_size=4))
def test_every_generated_part_is_there_word_for_word_and_once(
    generated: list[str], existing: list[str], notes: list[str]
) -> None:
    page = _page(*existing, text="old")
    for part, note in zip(existing, notes, strict=False):
        page = _after(page, part, note)

    merged = merge(_page(*generated), page)

    places = [merged.index(wrap(part, f"generated {part}")) for part in generated]
    assert places == sorted(places)
    assert merged.count("<!-- obs:begin ") == len(generated)


@given(generated=orders, existing=orders, notes=st.lists(words, min_size=4, max_size=4))
def test_merging_twice_is_merging_once(generated: list[str], existing: list[str], notes: list[str]) -> None:
    page = _page(*existing)
    for part, note in zip(existing, notes, strict=False):
        page = _after(page, part, note)
    once = merge(_page(*generated), page)

    assert merge(_page(*generated), once) == once


@pytest.mark.parametrize(
    ("damage", "line", "says", "advice"),
    [
        (
            ("<!-- obs:end facts -->\n", ""),
            4,
            "begins inside part 'facts', which began in line 1",
            "obs:end facts",
        ),
        (("<!-- obs:begin meaning -->\n", ""), 6, "ends here, but no part is open", "obs:begin meaning"),
        (("obs:end meaning", "obs:end facts"), 7, "ends here, but part 'meaning' is open", "obs:begin facts"),
        (("obs:begin meaning", "obs:begn meaning"), 5, "damaged marker", "restore the line"),
        (("<!-- obs:end meaning -->", "<!-- obs:end meaning"), 7, "damaged marker", "restore the line"),
        (("<!-- obs:end meaning -->", ""), 5, "part 'meaning' never ends", "obs:end meaning"),
    ],
    ids=["end lost", "begin lost", "wrong name", "misspelt", "cut short", "last end lost"],
)
def test_a_damaged_marker_is_an_error_that_says_what_to_repair(
    damage: tuple[str, str], line: int, says: str, advice: str
) -> None:
    existing = _page("facts", "meaning").replace(*damage)

    with pytest.raises(SpecError) as caught:
        merge(_page("facts", "meaning"), existing, "runbooks/a/One.md")

    assert caught.value.where == f"runbooks/a/One.md:{line}"
    assert says in caught.value.message
    assert advice in (caught.value.hint or "")


def test_a_part_that_stands_twice_is_an_error() -> None:
    with pytest.raises(SpecError, match="begins a second time"):
        merge(_page("facts"), _page("facts") + _page("facts"))


def test_a_page_of_somebody_else_is_never_overwritten() -> None:
    with pytest.raises(SpecError, match="not written by obs"):
        merge(_page("facts"), "# My own page\n\nwords\n")


def test_the_runbook_renderer_offers_it() -> None:
    assert face is merge
