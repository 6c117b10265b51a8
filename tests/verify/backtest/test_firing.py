"""The state machine of an alert, against one that walks through every evaluation as the rule engine does."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from obs.verify.backtest.firing import Firing, firings, spans
from obs.verify.backtest.moments import Grid, runs_of

STEP = 15_000


def _walked(there: Sequence[bool], hold: int, keep: int) -> list[tuple[int, int]]:
    """Return the firings of one label set, evaluation by evaluation."""
    state, active_at, missing_since, fired_at = "inactive", 0, -1, 0
    found = []
    for number, yields in enumerate(there):
        now = number * STEP
        if yields:
            missing_since = -1
            if state == "inactive":
                state, active_at = "pending", now
        elif state == "pending":
            state = "inactive"
        elif state == "firing":
            if missing_since < 0:
                missing_since = now
            if not keep or now - missing_since >= keep:
                state = "inactive"
                found.append((fired_at, number))
        if state == "pending" and now - active_at >= hold:
            state, fired_at, missing_since = "firing", number, -1
    if state == "firing":
        found.append((fired_at, len(there)))
    return found


_spans = st.integers(0, 8).flatmap(lambda steps: st.sampled_from([steps * STEP, steps * STEP + 5_000]))


@given(there=st.lists(st.booleans(), max_size=60), hold=_spans, keep=_spans)
def test_an_alert_fires_and_ends_as_an_engine_that_evaluates_step_by_step(
    there: list[bool], hold: int, keep: int
) -> None:
    runs = runs_of(number for number, yields in enumerate(there) if yields)

    assert list(spans(runs, Grid(0, STEP, len(there)), hold, keep)) == _walked(there, hold, keep)


def _cut(runs: list[tuple[int, int]], begin: int, *, hold: int = 0) -> list[Firing]:
    grid = Grid(0, STEP, 20)
    return list(firings((), runs, grid, hold=hold, keep=0, begin=begin * STEP, end=19 * STEP))


def test_what_was_firing_before_the_period_is_cut_and_marked() -> None:
    assert _cut([(0, 9)], 5) == [Firing((), 5 * STEP, 10 * STEP, came_in=True)]


def test_what_ended_before_the_period_is_left_out() -> None:
    assert _cut([(0, 4)], 5) == []


def test_what_became_active_before_the_period_has_waited_for_part_of_its_for() -> None:
    assert _cut([(3, 12)], 5, hold=4 * STEP) == [Firing((), 7 * STEP, 13 * STEP)]


def test_what_still_fires_at_the_end_goes_on() -> None:
    assert _cut([(15, 19)], 5) == [Firing((), 15 * STEP, 19 * STEP, goes_on=True)]
