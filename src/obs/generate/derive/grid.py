"""The grid on which the tests of an alert are told: how far apart samples are, and how far evaluations.

promtool takes most of its time to evaluate rules, and most of that to fill in the texts of alerts that
are pending or firing. Samples cost next to nothing. So stories are told with fine samples, and their
rules are evaluated at every few of them.
"""

from __future__ import annotations

from obs.generate.derive.settings import Settings
from obs.generate.model import SAMPLE_SEEN, Duration

_NICE = tuple(
    Duration.parse(text)
    for text in ("1s", "2s", "5s", "10s", "15s", "30s", "1m", "2m", "5m", "10m", "15m", "30m")
)
#: Steps in a window: enough to tell one window from another, and no more than shares of a small number allow.
_STEPS_IN_WINDOW, _MOST_IN_WINDOW = 10, 30
_STEPS_IN_SLOW_WINDOW = 5
#: Evaluations in a wait: enough to tell one wait from one of half; where it ends to a minute, other tests tell.
_EVALUATIONS_IN_WAIT = 2
_STEPS_IN_CYCLE = 5
_STEPS_IN_STORY = 20
#: Steps from one evaluation to the next, where these are a minute apart or more.
_STEPS_APART, _APART = 5, 60_000
#: Evaluations are no farther apart than this or a part of the wait, so that most alerts share a file of tests.
_MOST, _MOST_SLOW, _PART_OF_WAIT = 300_000, 900_000, 6


def fast(settings: Settings) -> tuple[Duration, Duration]:
    """Return the distance between samples, and between evaluations, of a rule that looks back for minutes."""
    window, wait = settings.window.milliseconds, settings.for_.milliseconds
    every = _evaluation(settings, max(_MOST, wait // _PART_OF_WAIT), whole_in_window=True)
    steps = _STEPS_APART if window or every >= _APART else 1
    while steps > 1 and (every % steps or window * steps > _MOST_IN_WINDOW * every):
        steps -= 1
    return Duration(every // steps), Duration(every)


def slow(settings: Settings) -> tuple[Duration, Duration]:
    """Return the same for a rule with a look-back of days: coarse, for each of its stories is as long."""
    window = settings.window.milliseconds
    every = _evaluation(settings, _MOST_SLOW, whole_in_window=False)
    steps = max(-(-_STEPS_IN_SLOW_WINDOW * every // window), -(-every // SAMPLE_SEEN.milliseconds))
    while every % steps or (window % (every // steps) and steps < _STEPS_IN_WINDOW):
        steps += 1
    return Duration(every // steps), Duration(every)


def of_cycle(cycle: Duration, wait: Duration) -> Duration:
    """Return the grid of a job's rule: fine against the cycle, coarse against the whole story."""
    whole = (cycle + wait).milliseconds // _STEPS_IN_STORY
    return _nice(min(whole, cycle.milliseconds // _STEPS_IN_CYCLE))


def _evaluation(settings: Settings, most: int, *, whole_in_window: bool) -> int:
    """Return a distance, in milliseconds, no longer than the window, of which some whole ones are in the wait."""
    wait, window = settings.for_.milliseconds, settings.window.milliseconds
    if window:
        most = min(most, window)
    if not wait:
        return _part(window, -(-window // most)) if window else _nice(most).milliseconds
    every = _part(wait, max(_EVALUATIONS_IN_WAIT, -(-wait // most)))
    if not whole_in_window or not window % every:
        return every
    # A window of whole evaluations is one of whole steps: what stands at its ends is counted exactly.
    finer = range(wait // every, wait // every + _MOST_IN_WINDOW)
    whole = (wait // parts for parts in finer if not wait % parts and not window % (wait // parts))
    return next(whole, every)


def _part(span: int, parts: int) -> int:
    """Return a whole part of `span`: the largest of at least so many equal ones."""
    while span % parts:
        parts += 1
    return span // parts


def _nice(span: int) -> Duration:
    return max((nice for nice in _NICE if nice.milliseconds <= span), default=_NICE[0])
