"""Which labels a query produces, with and without a word on what its series have."""

from __future__ import annotations

import pytest

from obs.lint.promql.labels import ANY, Labels, produced
from obs.lint.promql.parse import parse

_SERIES = {"x": Labels(frozenset({"a", "b"})), "y": Labels(frozenset({"b", "c"}))}


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("x", "a b"),
        ("rate(x[5m])", "a b"),
        ("sum(x)", ""),
        ("sum by (a, z) (x)", "a"),
        ("sum without (a) (x)", "b"),
        ("topk(3, x)", "a b"),
        ('count_values("value", x)', "value"),
        ("x > 1", "a b"),
        ("1 > bool x", "a b"),
        ("x and y", "a b"),
        ("x or y", "a b c"),
        ("x * on (b) y", "b"),
        ("x * ignoring (a, c) y", "b"),
        ("x * on (b) group_left (c) y", "a b c"),
        ("x * on (b) group_right y", "b c"),
        ('absent(x{a="1", b=~"2", c!="3"})', "a"),
        ("histogram_quantile(0.9, sum by (le, z) (free))", "z"),
        ('label_replace(x, "new", "$1", "a", "(.*)")', "a b new"),
        ("vector(1)", ""),
        ("time() - max by (a) (x)", "a"),
        ("max_over_time(sum by (b) (x)[1h:5m])", "b"),
        ("-x", "a b"),
    ],
)
def test_labels_follow_the_query(text: str, labels: str) -> None:
    root = parse(text).root
    assert root is not None

    found = produced(root, lambda name: _SERIES.get(name, ANY))

    assert not found.is_open
    assert found.names == set(labels.split())


@pytest.mark.parametrize(
    "text", ["free", "rate(free[5m])", "sum without (a) (free)", "free / x", "free or x"]
)
def test_nobody_knows_all_labels_of_series_that_nobody_declared(text: str) -> None:
    root = parse(text).root
    assert root is not None

    assert produced(root, lambda name: _SERIES.get(name, ANY)).is_open
