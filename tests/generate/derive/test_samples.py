"""Numbers of events that floating point adds up without error, and that are still near what was meant."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs.generate.derive.samples import exact


@given(st.decimals(min_value="0.001", max_value=1_000_000, places=6))
def test_a_number_of_events_is_within_half_a_percent_and_adds_up_exactly(value: Decimal) -> None:
    found = exact(value)
    added = 0.0
    for _ in range(100):
        added += float(found)

    assert abs(found - value) <= value / 200
    assert Decimal(added) == found * 100


@pytest.mark.parametrize(("rounding", "side"), [(ROUND_CEILING, 1), (ROUND_FLOOR, -1)])
def test_a_small_number_of_events_stays_on_its_side_of_the_line(rounding: str, side: int) -> None:
    few = Decimal(1) / 61

    assert 0 <= side * (exact(few, rounding) - few) <= few / 200
