"""What is known of a query without running it: what it reads, keeps, compares and how far it looks back."""

from __future__ import annotations

import pytest

from obs.errors import ObsError
from obs.generate.derive import promql
from obs.generate.derive.gaps import gap


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("a", True),
        ("sum (a)", False),
        ("sum by (environment) (a)", True),
        ("sum by (service) (a)", False),
        ("sum without (environment) (a)", False),
        ("sum without (instance) (a)", True),
        ("topk (3, a)", True),
        ("time() - a > 5", True),
        ("5 < a", True),
        ("a / on (service) b", False),
        ("a / on (service, environment) b", True),
        ("a / ignoring (environment) b", False),
        ("a / ignoring (instance) b", True),
        ("a * on (x) group_left (environment) sum by (x) (b)", True),
        ("sum by (x) (a) * on (x) group_right () b", True),
        ("a and on (service) sum (b)", True),
        ("a or sum (b)", False),
        ("absent (a)", False),
        ('absent (a{environment="prod"})', True),
        ('absent_over_time (a{environment="prod"}[5m])', True),
        ("vector (1)", False),
        ('label_replace (sum (a), "environment", "prod", "", "")', True),
        ("histogram_quantile (0.9, sum by (le, environment) (rate(a_bucket[5m])))", True),
        ("max_over_time (sum by (environment) (a)[1h:1m])", True),
        ("-a", True),
    ],
)
def test_a_label_is_kept_when_every_step_keeps_it(text: str, kept: bool) -> None:
    assert promql.keeps(text, "environment") == kept


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("a", "0s"),
        ("rate(a[5m])", "5m"),
        ("rate(a[5m] offset 1d)", "1d5m"),
        ("max_over_time(rate(a[5m])[1h:1m] offset 2h)", "3h5m"),
        ("rate(a[5m]) / rate(a[1h])", "1h"),
        ("sum (rate(a[5m])) > 3", "5m"),
        ('label_replace(rate(a[7m]), "x", "", "", "")', "7m"),
    ],
)
def test_the_reach_is_the_longest_way_back(text: str, span: str) -> None:
    assert str(promql.reach(text)) == span


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rate(a[5m]) > 0.5", ("rate(a[5m])", ">", "0.5")),
        ("(rate(a[5m]) >= (10))", ("rate(a[5m])", ">=", "10.0")),
        ("a > b", None),
        ("a and b > 3", None),
        ("a + 3", None),
        ("a > NaN", None),
    ],
)
def test_a_comparison_with_a_number_is_taken_apart(text: str, expected: tuple[str, str, str] | None) -> None:
    found = promql.condition(text)

    assert (found and (found[0], found[1], str(found[2]))) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", 'a{service="shop"}'),
        ("rate(a[5m] offset 1d)", 'rate(a{service="shop"}[5m] offset 1d)'),
        ('a{x="}"}', 'a{service="shop",x="}"}'),
        ('a{service="other"}', 'a{service="other"}'),
        ('{__name__="a"}', '{__name__="a",service="shop"}'),
        ("a / b", 'a{service="shop"} / b{service="shop"}'),
        ("rate(a[$__rate_interval])", 'rate(a{service="shop"}[$__rate_interval])'),
    ],
)
def test_a_query_is_narrowed_to_the_series_of_a_service(text: str, expected: str) -> None:
    assert promql.scoped(text, ('service="shop"',)) == expected


def test_series_that_the_server_writes_are_narrowed_by_what_they_keep() -> None:
    text = 'slo:x:ratio > 1 and ALERTS{alertname="Y"} and up'

    assert " ".join(promql.scoped(text, ('region="eu"', 'service="shop"')).split()) == (
        'slo:x:ratio{service="shop"} > 1 and ALERTS{alertname="Y",service="shop"} and up{region="eu",service="shop"}'
    )


def test_the_environment_is_kept_where_the_service_is() -> None:
    text = "sum by (service) (a) / on (service) sum by (service, environment) (b) + sum by (route) (c)"

    assert " ".join(promql.kept_with(text, "environment", beside="service").split()) == (
        "sum by (service, environment) (a) / on (service) sum by (service, environment) (b) + sum by (route) (c)"
    )


def test_labels_that_do_not_exist_leave_groups_and_joins() -> None:
    pool = gap("x has no label for pool")
    text = f"max by (service, {pool}) (x) / on (service, {pool}) max by ({pool}) (y)"

    printed, lacking = promql.ungrouped(text)

    assert " ".join(printed.split()) == "max by (service) (x) / on (service) max(y)"
    assert lacking == {pool}


def test_a_query_that_lacks_nothing_is_left_alone() -> None:
    assert promql.ungrouped("sum  by (service) (x)") == ("sum  by (service) (x)", frozenset())


@pytest.mark.parametrize("text", ["rate(a)", 'a{x="1" or y="2"}', "a >", ""])
def test_text_that_is_no_query_is_refused(text: str) -> None:
    with pytest.raises(ObsError, match="no PromQL"):
        promql.scoped(text, ('service="shop"',))
