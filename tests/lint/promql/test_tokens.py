"""Nodes are found in their text by counting tokens: what is underlined is what is meant."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from obs.lint.promql.nodes import Aggregate, Binary, Call, Number, Selector, below
from obs.lint.promql.parse import parse
from obs.lint.promql.tokens import extent, locate, pieces

_names = st.sampled_from(["up", "x_total", "job:y:sum", "sum_of", "by_hand", "offset_s", "and_so"])
_selectors = st.builds(
    lambda name, labels, offset: f"{name}{labels}{offset}",
    _names,
    st.sampled_from(["", "{}", '{job="a b"}', '{job=~"x|{y}", by!="sum("}', "{le='1'}"]),
    st.sampled_from(["", " offset 5m", " offset -1h"]),
)
_ranges = st.builds("{}[{}]".format, _names, st.sampled_from(["5m", "1h30m"]))
_queries = st.recursive(
    _selectors | _ranges.map("rate({})".format) | st.sampled_from(["1", "0.5", "1e3", "vector(1)"]),
    lambda inner: st.one_of(
        st.builds("sum by (job, le) ({})".format, inner),
        st.builds("max({}) without (job)".format, inner),
        st.builds("topk(3, {})".format, inner),
        st.builds("({}) # over\n".format, inner),
        st.builds("-{}".format, inner),
        st.builds("abs({})".format, inner),
        st.builds("({}) + on (job) group_left (a) ({})".format, inner, inner),
        st.builds("({}) > bool ({})".format, inner, inner),
        st.builds("({}) unless ({})".format, inner, inner),
    ),
    max_leaves=6,
)


@given(_queries)
@settings(max_examples=60, deadline=None)
def test_every_node_of_a_tree_is_found_where_it_was_written(text: str) -> None:
    parsed = parse(text)
    if parsed.root is None:
        return  # the parser refuses types that do not fit
    for node in below(parsed.root):
        offset, length = locate(text, parsed, node)
        word = text[offset : offset + length]
        if isinstance(node, Selector):
            assert word == node.name
        elif isinstance(node, Call):
            assert word == node.func
        elif isinstance(node, Aggregate | Binary):
            assert word == node.op
        elif isinstance(node, Number):
            # The parser takes a sign into the number.
            assert float(word) == abs(node.value)


@given(st.text())
@settings(max_examples=100, deadline=None)
def test_any_text_can_be_scanned_and_parsed(text: str) -> None:
    pieces(text)

    assert (parse(text).root is None) == bool(parse(text).error)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 100_000 + "x" + ")" * 100_000,
        "-" * 100_000 + "x",
        "abs(" * 50_000 + "x" + ")" * 50_000,
        "+".join(["x"] * 100_000),
        " or ".join(["x"] * 50_000),
        "x" + "[5m:1m]" * 50_000,
        "+".join(["x"] * 900),
    ],
    ids=["brackets", "signs", "calls", "sum", "or", "subqueries", "a long sum"],
)
def test_a_query_without_end_is_refused_and_ends_no_process(text: str) -> None:
    parsed = parse(text)

    assert parsed.root is None
    assert parsed.error


def test_a_long_query_that_somebody_may_write_is_read() -> None:
    assert parse(" or ".join(f'x{{a="{number}"}} > 1' for number in range(150))).error == ""


@pytest.mark.parametrize(
    ("text", "label", "expected"),
    [
        ('sum(rate(x{job="a"}[5m])) by (job)', "job", 'sum(rate(x{job="a"}[5m])) by (▸job)'),
        ('sum by (le, job) (x{job="a"})', "job", 'sum by (le, ▸job) (x{job="a"})'),
    ],
)
def test_a_label_of_a_grouping_is_not_one_of_a_selector_within(text: str, label: str, expected: str) -> None:
    parsed = parse(text)
    offset, _ = locate(text, parsed, parsed.aggregates[0], label)

    assert f"{text[:offset]}▸{text[offset:]}" == expected


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ('sum by (a) (rate(x{a="("}[5m])) / 2', 'sum by (a) (rate(x{a="("}[5m]))'),
        ("2 * sum(x) by (a) > 1", "sum(x) by (a)"),
        ("sum (x) > (3)", "sum (x)"),
    ],
)
def test_an_aggregation_extends_over_its_arguments_and_grouping(text: str, whole: str) -> None:
    parsed = parse(text)
    start, end = extent(text, parsed, parsed.aggregates[0])

    assert text[start:end] == whole


@pytest.mark.parametrize(
    "text",
    [
        "rate(x[$__rate_interval])",
        "rate(x[${window}])",
        'sum by ($group) (x{job=~"$job"}) > $limit',
        "$metric{a='b'}",
        "topk([[count]], x)",
        "x offset $shift",
    ],
)
def test_variables_of_a_dashboard_are_no_broken_query(text: str) -> None:
    assert parse(text).error == ""
