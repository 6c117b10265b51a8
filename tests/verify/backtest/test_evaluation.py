"""Expressions over recorded series, computed from what the server said of their parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from obs.generate.derive.promql.syntax import read
from obs.generate.model import Duration, RecordingRule, RuleFile, RuleGroup
from obs.verify.backtest.asking import Answers, CannotJudge
from obs.verify.backtest.evaluation import Evaluation
from obs.verify.backtest.history import Part
from obs.verify.backtest.moments import Grid, labels_of
from obs.verify.backtest.recording import Book
from obs.verify.query_api import Refused

MINUTE = 60_000
#: What the server says: an expression, and per series its labels and a value a minute.
Said = Mapping[str, Sequence[tuple[Mapping[str, str], Sequence[float | None]]]]
RULES = (
    RecordingRule("slo:all", "sum by (service) (requests)", {"slo": "a"}),
    RecordingRule("slo:bad", "sum by (service, route) (errors)", {"slo": "a"}),
    RecordingRule("slo:twice", 'slo:all{slo="a"} * 2', {"slo": "a"}),
    RecordingRule("slo:other", "other", {"slo": "b"}),
    RecordingRule("slo:line", "vector(0.5)"),
)


def _evaluate(text: str, said: Said, *, count: int = 3) -> dict[str, list[float | None]]:
    """Return what `text` yields each minute: labels in words -> values."""
    book = Book.of([RuleFile("f", (RuleGroup("g", RULES, Duration(MINUTE)),))])
    grid, until = Grid(0, MINUTE, count), (count - 1) * MINUTE
    node = read(text)
    book.need(node, 0)
    answers = Answers()
    for question in dict.fromkeys((*book.raw(node, grid), *book.questions(until))):
        parts = []
        for metric, values in said[question.text]:
            at = [(-question.grid.start // MINUTE) + number for number in range(len(values))]
            there = [
                (position, value) for position, value in zip(at, values, strict=True) if value is not None
            ]
            parts.append(Part(labels_of(metric), [one for one, _ in there], [one for _, one in there]))
        answers.take(question, [parts])
    found = Evaluation(book, answers, until, closed=False).columns(node, grid)
    return {
        ",".join(f"{name}={value}" for name, value in labels): column
        for labels, column in found.items()
        if any(value is not None for value in column)
    }


ALL = {"sum by (service) (requests)": [({"service": "x"}, [10.0, 20.0, 40.0])]}
BAD = {
    "sum by (service, route) (errors)": [
        ({"service": "x", "route": "/a"}, [1.0, None, 4.0]),
        ({"service": "x", "route": "/b"}, [5.0, 5.0, None]),
    ]
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("slo:all", {"service=x,slo=a": [10.0, 20.0, 40.0]}),
        ("slo:twice", {"service=x,slo=a": [20.0, 40.0, 80.0]}),
        ('slo:all{slo="b"}', {}),
        ('slo:all{service!~"y|z"}', {"service=x,slo=a": [10.0, 20.0, 40.0]}),
        ("slo:all > 15", {"service=x,slo=a": [None, 20.0, 40.0]}),
        ("slo:all > bool 15", {"service=x,slo=a": [0.0, 1.0, 1.0]}),
        ("15 < slo:all", {"service=x,slo=a": [None, 20.0, 40.0]}),
        ("100 - slo:all", {"service=x,slo=a": [90.0, 80.0, 60.0]}),
        ("sum_over_time(slo:all[2m])", {"service=x,slo=a": [10.0, 30.0, 60.0]}),
        ("slo:all offset 1m", {"service=x,slo=a": [None, 10.0, 20.0]}),
        ("slo:all and on (service) (slo:twice > 40)", {"service=x,slo=a": [None, None, 40.0]}),
        ("slo:all unless slo:twice > 40", {"service=x,slo=a": [10.0, 20.0, None]}),
        ("(slo:all > 30) or slo:twice", {"service=x,slo=a": [20.0, 40.0, 40.0]}),
        ("max without (slo) (slo:all)", {"service=x": [10.0, 20.0, 40.0]}),
        ("count(slo:all)", {"": [1.0, 1.0, 1.0]}),
        ("slo:all * on () group_left () slo:line", {"service=x,slo=a": [5.0, 10.0, 20.0]}),
        ("slo:all / (slo:all - slo:all)", {"service=x,slo=a": [float("inf")] * 3}),
    ],
)
def test_one_recorded_series_goes_through_every_operator(
    text: str, expected: dict[str, list[float | None]]
) -> None:
    assert _evaluate(text, ALL) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sum by (service) (slo:bad)", {"service=x": [6.0, 5.0, 4.0]}),
        ("min by (service) (slo:bad)", {"service=x": [1.0, 5.0, 4.0]}),
        ("avg without (route) (slo:bad)", {"service=x,slo=a": [3.0, 5.0, 4.0]}),
        ("group(slo:bad > 4)", {"": [1.0, 1.0, None]}),
        (
            "slo:bad / on (service) group_left (slo) slo:all",
            {"route=/a,service=x,slo=a": [0.1, None, 0.1], "route=/b,service=x,slo=a": [0.5, 0.25, None]},
        ),
        (
            "slo:all / ignoring (route) group_right () slo:bad",
            {"route=/a,service=x,slo=a": [10.0, None, 10.0], "route=/b,service=x,slo=a": [2.0, 4.0, None]},
        ),
        ('slo:all unless on (service) slo:bad{route="/b"}', {"service=x,slo=a": [None, None, 40.0]}),
        ("slo:bad or on (service) slo:all", {
            "route=/a,service=x,slo=a": [1.0, None, 4.0], "route=/b,service=x,slo=a": [5.0, 5.0, None],
        }),
    ],
)  # fmt: skip
def test_many_series_meet_one(text: str, expected: dict[str, list[float | None]]) -> None:
    assert _evaluate(text, {**ALL, **BAD}) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("rate(slo:all[5m])", "rate over recorded series is not known here"),
        ("topk(1, slo:all)", "topk over recorded series is not known here"),
        ("slo:all % 2", "the operator % over recorded series is not known here"),
        ("max_over_time(slo:all[5m:1m])", "max_over_time over recorded series is not known here"),
        ("-slo:all", "cannot be computed over recorded series here"),
        ("slo:all @ 5", "cannot be computed over recorded series here"),
        ("slo:all / on (service) slo:bad", "a join finds two series where there may be one"),
    ],
)
def test_what_is_not_known_here_is_said_and_never_guessed(text: str, reason: str) -> None:
    with pytest.raises(CannotJudge, match=reason):
        _evaluate(text, {**ALL, **BAD})


def test_what_the_server_refuses_reaches_every_alert_above_it() -> None:
    book = Book.of([RuleFile("f", (RuleGroup("g", RULES, Duration(MINUTE)),))])
    node = read("sum_over_time(slo:twice[5m]) > 1")
    book.need(node, 0)
    answers = Answers()
    for question in book.questions(0):
        answers.take(question, [Refused("too many samples")])

    with pytest.raises(CannotJudge, match="too many samples"):
        Evaluation(book, answers, 0, closed=False).columns(node, Grid(0, MINUTE, 1))


def test_a_rule_is_evaluated_from_as_early_as_anybody_looks_back() -> None:
    book = Book.of([RuleFile("f", (RuleGroup("g", RULES, Duration(MINUTE)),))])
    book.need(read("sum_over_time(slo:twice[1h] offset 10m)"), 0)

    (question,) = {one.text: one for one in book.questions(0)}.values()

    # An hour and ten minutes, and the five minutes that an instant looks back.
    assert question.grid.start == -75 * MINUTE
    assert book.reach(read("sum_over_time(slo:twice[1h] offset 10m)")) == 70 * MINUTE
