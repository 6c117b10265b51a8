"""Exact additions: nothing is lost, whatever the order, and what grows never falls by its last bit."""

from __future__ import annotations

import math
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from obs.runtime.metrics import exact

NUMBERS = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e300, max_value=1e300)


@given(st.lists(st.lists(NUMBERS, min_size=3, max_size=3), min_size=1, max_size=5))
def test_totals_are_exact_and_rounded_once(columns: list[list[float]]) -> None:
    expected = [float(sum(map(Fraction, row))) for row in zip(*columns, strict=True)]
    assert exact.totals(columns) == expected


@given(st.lists(NUMBERS, max_size=9))
def test_the_parts_are_the_rounded_sum_and_all_that_it_lacks(numbers: list[float]) -> None:
    parts = exact.parts(numbers)
    assert parts[0] == math.fsum(numbers)
    assert sum(map(Fraction, parts)) == sum(map(Fraction, numbers))


@given(st.lists(st.sampled_from((0.1, -1.0, 1.7e308, math.inf, -math.inf, math.nan)), max_size=6))
def test_beyond_the_largest_number_nothing_is_raised_and_nothing_is_searched_for_ever(
    numbers: list[float],
) -> None:
    assert exact.parts(numbers)
    in_turn = sum(numbers, 0.0)
    if not math.isfinite(in_turn):
        assert repr(exact.totals([[number] for number in [0.0, *numbers]])) == repr([in_turn])


def test_of_what_cancels_out_nothing_is_left() -> None:
    assert exact.parts([1e16, 1.0, -1e16, -1.0]) == [0.0]
