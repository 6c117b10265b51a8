"""Matchers in both notations, and what can be said of labels that are only partly known."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs.lint.read.matchers import Answer, Labels, Matcher, Operator, both, parse


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('severity="page"', [Matcher("severity", "=", "page")]),
        ("severity = page", [Matcher("severity", "=", "page")]),
        (
            '{severity=~"page|ticket", service!=""}',
            [Matcher("severity", "=~", "page|ticket"), Matcher("service", "!=", "")],
        ),
        ('a!~"x,y"', [Matcher("a", "!~", "x,y")]),
        (r'a="say \"hi\"\n"', [Matcher("a", "=", 'say "hi"\n')]),
        ('"a b"="c"', [Matcher("a b", "=", "c")]),
        ("a=", [Matcher("a", "=", "")]),
        ("{}", []),
        ('{a="1",}', [Matcher("a", "=", "1")]),
    ],
)
def test_a_text_of_matchers_is_read_in_every_notation(text: str, expected: list[Matcher]) -> None:
    assert list(parse(text)) == expected


@pytest.mark.parametrize("text", ["severity", '{a="b"', 'a="b', '="b"', 'a=="b" c'])
def test_what_is_no_matcher_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected LABEL|brace"):
        parse(text)


@given(
    st.from_regex(r"[a-z_]{1,8}", fullmatch=True),
    st.sampled_from(["=", "!=", "=~", "!~"]),
    st.text(max_size=12),
)
def test_a_matcher_printed_is_read_as_itself(name: str, operator: Operator, value: str) -> None:
    matcher = Matcher(name, operator, value)

    assert parse(str(matcher)) == (matcher,)


@pytest.mark.parametrize(
    ("text", "labels", "answer"),
    [
        ('a="1"', Labels({"a": "1"}), Answer.YES),
        ('a="1"', Labels({"a": "2"}), Answer.NO),
        ('a="1"', Labels({}), Answer.MAYBE),
        ('a="1"', Labels({}, open=False), Answer.NO),
        ('a!="1"', Labels({}, open=False), Answer.YES),
        ('a=~"1|2"', Labels({"a": "2"}), Answer.YES),
        ('a=~"1"', Labels({"a": "11"}), Answer.NO),
        ('a!~"1.*"', Labels({"a": "11"}), Answer.NO),
        ('a=~"("', Labels({"a": "11"}), Answer.MAYBE),
        ('a=""', Labels({"a": ""}), Answer.YES),
    ],
)
def test_a_matcher_answers_as_far_as_the_labels_are_known(text: str, labels: Labels, answer: Answer) -> None:
    assert both(matcher.meets(labels) for matcher in parse(text)) is answer


_VALUES = st.sampled_from(["", "a", "b", "ab", "c"])
_MATCHERS = st.builds(
    Matcher,
    st.just("l"),
    st.sampled_from(["=", "!=", "=~", "!~"]),
    st.sampled_from(["", "a", "b", "a|b", "a.*", ".+", ".*", "|a"]),
)


@given(_MATCHERS, _MATCHERS, _VALUES)
def test_what_excludes_or_implies_another_does_so_for_every_value(
    one: Matcher, other: Matcher, value: str
) -> None:
    meets, meets_other = one.holds(value) is Answer.YES, other.holds(value) is Answer.YES
    if one.excludes(other):
        assert not (meets and meets_other)
    if one.implies(other) and meets:
        assert meets_other
