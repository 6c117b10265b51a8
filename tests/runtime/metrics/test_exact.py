"""Exact additions: nothing is lost, whatever the order, and what grows never falls by its last bit."""

from __future__ import annotations

import math
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from obs.runtime.metrics import exact

NUMBERS = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e300, max_value=1e300)


@given(NUMBERS, NUMBERS)
def test_what_an_addition_rounds_off_is_known_to_the_last_bit(first: float, second: float) -> None:
    total = first + second
    lost = exact.lost(first, second, total)
    assert Fraction(total) + Fraction(lost) == Fraction(first) + Fraction(second)


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
    for second in numbers:
        assert math.isfinite(exact.lost(numbers[0], second, numbers[0] + second))
