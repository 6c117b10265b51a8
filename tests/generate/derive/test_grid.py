"""The grid of a story: samples and evaluations that its window and its wait are whole numbers of."""

from __future__ import annotations

from decimal import Decimal

import pytest

from obs.generate.derive import grid
from obs.generate.derive.settings import Settings
from obs.generate.model import Duration


def _settings(wait: str, window: str) -> Settings:
    return Settings("ticket", Duration.parse(wait), Decimal(1), Duration.parse(window))


@pytest.mark.parametrize(
    ("wait", "window", "grid_"),
    [
        ("0s", "5m", ("1m", "5m")),
        ("0s", "1h", ("2m30s", "5m")),
        ("5m", "5m", ("30s", "2m30s")),
        ("10m", "5m", ("1m", "5m")),
        ("15m", "15m", ("1m", "5m")),
        ("15m", "0s", ("1m", "5m")),
        # As far apart as the whole window; where that does not divide it, finer.
        ("5m", "3m", ("12s", "1m")),
    ],
)
def test_a_window_is_whole_steps_whether_an_alert_waits_or_not(
    wait: str, window: str, grid_: tuple[str, str]
) -> None:
    settings = _settings(wait, window)
    step, every = grid.fast(settings)

    assert (str(step), str(every)) == grid_
    assert settings.window.milliseconds % step.milliseconds == 0
    assert settings.for_.milliseconds % every.milliseconds == 0


def test_a_long_window_without_a_wait_is_whole_steps() -> None:
    settings = _settings("0s", "1d")
    step, every = grid.slow(settings)

    assert settings.window.milliseconds % step.milliseconds == 0
    assert every.milliseconds % step.milliseconds == 0
