"""The end of a wait is told to a minute, whatever the distance between ordinary evaluations."""

from __future__ import annotations

from decimal import Decimal

import pytest

from obs.generate.model import (
    Alert,
    Duration,
    Expectation,
    Firing,
    RuleFile,
    RuleGroup,
    Series,
    TestCase,
    Threshold,
)
from obs.generate.render import boundary, promtool

MINUTE = Duration.parse("1m")
SENT = Firing({"environment": "X"}, {})


def _case(*facts: tuple[int, str], every: int | None = 5, step: Duration = MINUTE) -> TestCase:
    return TestCase(
        says="rises and falls",
        kind="for",
        step=step,
        series=(Series('m{environment="X"}', "0x3 1x30"),),
        expects=tuple(
            Expectation(step * at, state, (SENT,) if state == "firing" else ())  # type: ignore[arg-type]
            for at, state in facts
        ),
        environment="X",
        every=None if every is None else step * every,
    )


def _file(wait: str, *cases: TestCase, slo: str | None = None, offset: str | None = None) -> RuleFile:
    alert = Alert(
        name="TooMuch",
        service="shop",
        expr="m > 0",
        for_=Duration.parse(wait),
        labels={"severity": "page"},
        annotations={},
        severity="page",
        category="http",
        threshold=Threshold(Decimal(0), "1", ">", "more than none"),
        window=MINUTE,
        signals=(),
        panel="",
        tests=cases,
        slo=slo,
    )
    late = Duration.parse(offset) if offset else None
    return RuleFile("shop", (RuleGroup("shop", (alert,), query_offset=late),))


RISES = _case((3, "silent"), (4, "pending"), (13, "pending"), (14, "firing"), (16, "silent"))


def test_an_alert_still_waits_a_minute_before_its_wait_is_over() -> None:
    ((every, _, case),) = boundary.cases(_file("10m", RISES))

    assert str(every) == "9m"
    assert [(str(fact.at), fact.state) for fact in case.expects] == [("9m", "pending"), ("18m", "pending")]
    # It begins to wait at the evaluation at 9m, so five minutes late.
    assert case.series[0].values == "_x5 0x3 1x30"


def test_the_boundary_stands_in_a_test_file_of_its_own_distance() -> None:
    artefacts = promtool.render(_file("10m", RISES))

    assert [file.path.name for file in artefacts] == ["shop_test.yml", "shop-9m_test.yml"]
    assert "evaluation_interval: 9m" in artefacts[1].text
    assert "is not told" not in artefacts[0].text


def test_stories_of_one_distance_are_told_in_the_same_steps() -> None:
    fine = _case(
        (3, "silent"), (4, "pending"), (23, "pending"), (24, "firing"), step=Duration.parse("30s"), every=10
    )
    first, second = _file("10m", RISES).groups[0].rules + _file("10m", fine).groups[0].rules
    told = list(boundary.cases(RuleFile("shop", (RuleGroup("shop", (first, second)),))))

    assert [str(case.step) for _, _, case in told] == ["30s", "30s"]
    assert told[0][2].series[0].values.startswith("_x10 0 _x1 0 _x1")


def test_a_story_that_is_evaluated_at_every_minute_tells_it_already() -> None:
    fine = _case((3, "silent"), (4, "pending"), (13, "pending"), (14, "firing"), every=None)

    assert list(boundary.cases(_file("10m", fine))) == []
    assert boundary.comments(_file("10m", fine)) == ""


def test_a_wait_of_a_minute_needs_no_more() -> None:
    brief = _case((3, "silent"), (4, "firing"))

    assert list(boundary.cases(_file("1m", brief))) == []
    assert boundary.comments(_file("1m", brief)) == ""


def test_a_story_that_cannot_begin_later_is_evaluated_where_it_stands() -> None:
    story = _case((3, "silent"), (4, "pending"), (33, "pending"), (34, "firing"), every=None, step=MINUTE * 2)
    ((every, _, case),) = boundary.cases(_file("1h", story))
    begin, end = (fact.at.milliseconds for fact in case.expects)

    assert case.series == story.series
    assert begin % every.milliseconds == 0
    # Not active yet at the evaluation before, which is the last at which silence is known.
    assert begin - every.milliseconds <= 6 * 60_000
    assert begin >= 8 * 60_000
    assert 59 * 60_000 <= end - begin < 60 * 60_000


@pytest.mark.parametrize(
    "file",
    [
        # Samples that are farther apart than they are seen say nothing of what is between them.
        _file("10m", _case((3, "silent"), (4, "pending"), (5, "firing"), every=None, step=MINUTE * 30)),
        # Rules of an objective record at each evaluation.
        _file(
            "30m", _case((3, "silent"), (4, "pending"), (8, "firing"), every=None, step=MINUTE * 10), slo="a"
        ),
        # When it began to wait is known too vaguely.
        _file("10m", _case((3, "silent"), (30, "firing"))),
        # What cannot begin later cannot be asked later.
        _file(
            "1h",
            _case(
                (3, "silent"), (4, "pending"), (33, "pending"), (34, "firing"), every=None, step=MINUTE * 2
            ),
            offset="30s",
        ),
    ],
)
def test_an_alert_whose_wait_cannot_be_told_to_a_minute_is_named(file: RuleFile) -> None:
    assert list(boundary.cases(file)) == []
    assert promtool.render(file)[0].text.splitlines()[1] == (
        "# 'for' is not told to a minute of TooMuch: its stories have longer steps"
    )
