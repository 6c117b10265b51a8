"""A rule of a group with a limit that yields more fails in Prometheus: the backtest says so and guesses nothing."""

from __future__ import annotations

from decimal import Decimal

import pytest

from obs.generate.derive.promql.syntax import read
from obs.generate.model import Alert, Duration, RecordingRule, RuleFile, RuleGroup, Threshold
from obs.verify.backtest.asking import Answers, CannotJudge
from obs.verify.backtest.evaluation import Evaluation
from obs.verify.backtest.history import Part
from obs.verify.backtest.moments import Grid, labels_of, most_at_once
from obs.verify.backtest.plan import Judged, Period, ServicePlan
from obs.verify.backtest.recording import Book

MINUTE = 60_000
ROUTES = ("/a", "/b")


def _recorded(limit: int | None) -> int:
    """Return how many series are recorded of two routes, in a group with this limit."""
    rule = RecordingRule("slo:bad", "errors")
    book = Book.of([RuleFile("f", (RuleGroup("g", (rule,), Duration(MINUTE), limit),))])
    node = read("slo:bad")
    book.need(node, 0)
    answers = Answers()
    for question in book.questions(0):
        answers.take(question, [[Part(labels_of({"route": route}), [5], [1.0]) for route in ROUTES]])
    return len(Evaluation(book, answers, 0, closed=False).columns(node, Grid(0, MINUTE, 1)))


def test_as_many_series_as_the_limit_are_recorded() -> None:
    assert _recorded(2) == _recorded(None) == 2


def test_more_series_than_the_limit_are_a_rule_that_fails() -> None:
    with pytest.raises(CannotJudge, match="slo:bad would be 2 series where its group allows 1"):
        _recorded(1)


def _judged(limit: int | None, *there: tuple[int, int], keep: Duration | None = None) -> Judged:
    """Return what becomes of an alert that is there of one route after another, from and to these evaluations."""
    alert = Alert(
        name="TooMuch",
        service="shop",
        expr="errors > 0",
        for_=Duration(0),
        labels={},
        annotations={},
        severity="page",
        category="http",
        threshold=Threshold(Decimal(0), "1", ">", "more than none"),
        window=Duration(MINUTE),
        signals=(),
        panel="",
        tests=(),
        keep_firing_for=keep,
    )
    file = RuleFile("f", (RuleGroup("g", (alert,), Duration(MINUTE), limit),))
    plan = ServicePlan("shop", (file,), Period(0, 20 * MINUTE))
    answers = Answers()
    for question in plan.questions:
        parts = [
            Part(labels_of({"route": route}), list(range(first, last + 1)), [1.0] * (last + 1 - first))
            for route, (first, last) in zip(ROUTES, there, strict=True)
        ]
        answers.take(question, [parts if question.text == alert.expr else []])
    (judged,) = plan.judge(answers, closed=False)
    return judged


@pytest.mark.parametrize("limit", [2, None])
def test_as_many_alerts_as_the_limit_fire(limit: int | None) -> None:
    judged = _judged(limit, (3, 9), (5, 7))

    assert judged.reason == ""
    assert len(judged.firings) == 2


def test_alerts_that_follow_one_another_are_not_too_many() -> None:
    assert len(_judged(1, (3, 5), (6, 9)).firings) == 2


def test_more_alerts_at_once_than_the_limit_are_a_rule_that_fails() -> None:
    judged = _judged(1, (3, 5), (5, 9))

    assert judged.firings == ()
    assert judged.reason.startswith("2 alerts at once where its group allows 1: Prometheus fails the rule")


def test_an_alert_that_is_kept_firing_counts() -> None:
    assert _judged(1, (3, 5), (7, 9), keep=Duration(2 * MINUTE)).reason.startswith("2 alerts at once")


def test_runs_that_meet_at_one_position_are_there_at_once() -> None:
    assert most_at_once([[(0, 3), (8, 9)], [(3, 5)], [(5, 8)]]) == 2
    assert most_at_once([[(0, 2)], [(3, 4)]]) == 1
    assert most_at_once([]) == 0
