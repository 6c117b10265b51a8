"""The grid on which the tests of an alert are told: how far apart samples and evaluations are."""

from __future__ import annotations

from obs.generate.derive.settings import Settings
from obs.generate.model import Duration

_NICE = tuple(
    Duration.parse(text)
    for text in ("1s", "2s", "5s", "10s", "15s", "30s", "1m", "2m", "5m", "10m", "15m", "30m")
)
#: Steps in a window: enough to tell one window from another.
_STEPS_IN_WINDOW = 10
_STEPS_IN_SLOW_WINDOW = 5
_STEPS_IN_WAIT = 2
_STEPS_IN_CYCLE = 5
_STEPS_IN_STORY = 60


def fast(settings: Settings) -> Duration:
    """Return the grid of a rule that looks back for minutes."""
    spans = []
    if settings.window:
        spans.append(settings.window.milliseconds // _STEPS_IN_WINDOW)
    if settings.for_:
        spans.append(settings.for_.milliseconds // _STEPS_IN_WAIT)
    return _nice(min(spans, default=60_000))


def slow(settings: Settings) -> Duration:
    """Return the grid of a rule with a look-back of days: coarse, for each step costs an evaluation."""
    wait = settings.for_.milliseconds // _STEPS_IN_WAIT or settings.window.milliseconds
    return _nice(min(settings.window.milliseconds // _STEPS_IN_SLOW_WINDOW, wait))


def of_cycle(cycle: Duration, wait: Duration) -> Duration:
    """Return the grid of a job's rule: fine against the cycle, coarse against the whole story."""
    whole = (cycle + wait).milliseconds // _STEPS_IN_STORY
    return _nice(min(whole, cycle.milliseconds // _STEPS_IN_CYCLE))


def _nice(span: int) -> Duration:
    return max((nice for nice in _NICE if nice.milliseconds <= span), default=_NICE[0])
