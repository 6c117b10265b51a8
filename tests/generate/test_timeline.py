"""Stories are told so that few evaluations prove all that they say."""

from __future__ import annotations

from dataclasses import replace

from obs.generate.model import Duration, Expectation, Firing, Series, TestCase
from obs.generate.render.timeline import spread, until

MINUTE = Duration.parse("1m")
EVERY = Duration.parse("5m")


def _case(*facts: tuple[int, str], every: Duration | None = EVERY) -> TestCase:
    return TestCase(
        says="turns bad and recovers",
        kind="for",
        step=MINUTE,
        series=(Series('m{environment="X", instance="one"}', "0+1x30"),),
        expects=tuple(Expectation(MINUTE * at, state) for at, state in facts),  # type: ignore[arg-type]
        environment="X",
        every=every,
    )


def _asked(case: TestCase) -> list[tuple[str, str]]:
    return [(str(fact.at), fact.state) for fact in case.expects]


def test_what_is_asked_between_two_evaluations_is_asked_of_a_copy() -> None:
    copies = spread(_case((15, "silent"), (16, "pending"), (25, "pending"), (26, "firing")))

    assert [_asked(copy) for copy in copies] == [
        [("16m", "pending"), ("21m", "pending"), ("26m", "firing")],
        [("15m", "silent")],
    ]
    assert [copy.environment for copy in copies] == ["X", "X-2"]
    assert copies[1].series[0].selector == 'm{environment="X-2", instance="one"}'


def test_silence_is_asked_at_the_very_instant() -> None:
    copies = spread(_case((3, "silent"), (4, "silent"), (13, "silent")))

    assert [_asked(copy) for copy in copies] == [[("3m", "silent"), ("13m", "silent")], [("4m", "silent")]]


def test_an_alert_is_asked_earlier_only_since_it_was_seen_in_that_state() -> None:
    copies = spread(_case((10, "silent"), (12, "firing"), (14, "firing"), (20, "silent")))

    assert [_asked(copy) for copy in copies] == [
        [("10m", "silent"), ("20m", "silent")],
        [("14m", "firing")],
        [("12m", "firing")],
    ]


def test_a_story_is_told_so_late_that_it_ends_with_its_group() -> None:
    late = until(_case((16, "silent"), (21, "firing")), MINUTE * 30)

    assert _asked(late) == [("25m", "silent"), ("30m", "firing")]
    assert late.series[0].values == "_x9 0+1x30"


def test_a_story_that_tells_the_time_stays_where_it_is() -> None:
    case = _case((15, "silent"), (16, "firing"), every=None)

    assert spread(case) == [case]
    assert until(case, MINUTE * 60) == case


def test_what_a_copy_fires_is_expected_in_the_environment_of_the_copy() -> None:
    sent = Firing({"environment": "X", "queue": "orders"}, {"summary": "orders of X"})
    case = _case((10, "silent"), (12, "firing"), (14, "firing"))
    told = replace(case, expects=tuple(replace(one, firing=(sent,)) for one in case.expects))

    assert [copy.expects[-1].firing[0].labels for copy in spread(told)] == [
        {"environment": name, "queue": "orders"} for name in ("X", "X-2", "X-3")
    ]
