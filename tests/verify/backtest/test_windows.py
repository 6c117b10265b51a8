"""Recorded series at an instant and over a range, against a search through every sample."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from obs.verify.backtest.moments import Grid, Values
from obs.verify.backtest.windows import FUNCTIONS, LOOKBACK, latest, over

MINUTE = 60_000
_PLAIN: dict[str, Callable[[list[float]], float]] = {
    "avg_over_time": lambda found: sum(found) / len(found),
    "count_over_time": len,
    "last_over_time": lambda found: found[-1],
    "max_over_time": max,
    "min_over_time": min,
    "present_over_time": lambda _: 1.0,
    "sum_over_time": sum,
}
_values = st.lists(st.none() | st.integers(0, 1000).map(float), min_size=1, max_size=30)


def _samples(values: Values, on: Grid, first: int, last: int, *, closed: bool) -> list[float]:
    """Return the samples in (first, last], or in [first, last]."""
    return [
        value
        for at, value in zip(on, values, strict=True)
        if value is not None and at <= last and (at > first or (closed and at == first))
    ]


@given(
    function=st.sampled_from(sorted(FUNCTIONS)),
    closed=st.booleans(),
    values=_values,
    span=st.integers(1, 20),
    offset=st.integers(-3, 10),
    start=st.integers(-600_000, 2_400_000),
)
def test_a_window_reads_the_samples_that_lie_in_it(
    *, function: str, closed: bool, values: Values, span: int, offset: int, start: int
) -> None:
    on, grid = Grid(0, MINUTE, len(values)), Grid(start, 15_000, 7)

    found = over(function, values, on, grid, span=span * MINUTE, offset=offset * MINUTE, closed=closed)

    assert found == [
        _PLAIN[function](inside)
        if (inside := _samples(values, on, end - span * MINUTE, end, closed=closed))
        else None
        for end in (at - offset * MINUTE for at in grid)
    ]


@given(closed=st.booleans(), values=_values, start=st.integers(-600_000, 3_000_000))
def test_an_instant_reads_the_newest_evaluation_and_nothing_when_that_was_empty(
    closed: bool, values: Values, start: int
) -> None:
    on, grid = Grid(0, MINUTE, len(values)), Grid(start, 15_000, 7)

    found = latest(values, on, grid, 0, closed=closed)

    for at, value in zip(grid, found, strict=True):
        before = [number for number in range(len(values)) if number * MINUTE <= at]
        age = at - before[-1] * MINUTE if before else LOOKBACK * 2
        fresh = age <= LOOKBACK if closed else age < LOOKBACK
        assert value == (values[before[-1]] if fresh else None)
