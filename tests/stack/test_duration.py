"""Durations are those of Prometheus: units in falling order, each at most once, not zero."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obs.errors import ConfigError
from obs.stack.duration import milliseconds


@pytest.mark.parametrize(
    ("text", "expected"),
    [("500ms", 500), ("15s", 15_000), ("1m30s", 90_000), ("2h", 7_200_000), ("1d", 86_400_000)],
)
def test_a_duration_has_a_length(text: str, expected: int) -> None:
    assert milliseconds(text, "interval") == expected


@pytest.mark.parametrize("text", ["", "15", "s", "0s", "1.5s", "-5s", "30s1m", "1s1s", "5 s", "15s\n"])
def test_anything_else_is_refused_with_what_it_was_for(text: str) -> None:
    with pytest.raises(ConfigError, match=r"scrape interval: got .* expected a duration"):
        milliseconds(text, "scrape interval")


@given(st.integers(1, 10_000), st.integers(0, 59), st.integers(0, 999))
def test_the_parts_add_up(minutes: int, seconds: int, rest: int) -> None:
    assert milliseconds(f"{minutes}m{seconds}s{rest}ms", "x") == minutes * 60_000 + seconds * 1000 + rest
