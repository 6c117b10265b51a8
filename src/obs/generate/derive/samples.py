"""Sample series for promtool, told as phases of a story instead of numbers.

A story is a list of phases; in each, a track (good events, bad events, a gauge) does one thing for a
number of steps. The author of an alert writes the story; nothing here reads an expression.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

#: How promtool writes a sample that is not there, and the mark Prometheus leaves when a series ends.
_ABSENT, _ENDED = "_", "stale"
#: A number of whole parts of one, so many that it is off by no more than one in so many of itself.
_PARTS, _MOST_OFF = (2**10, 2**20), 256


@dataclass(frozen=True, slots=True)
class Phase:
    """`steps` steps in each of which `good` and `bad` events happen; None: the series does not exist."""

    steps: int
    good: Decimal | None
    bad: Decimal | None = Decimal(0)


def counter(track: Sequence[tuple[int, Decimal | None]]) -> str:
    """Write a counter that grows by so much in each step of a phase.

    A story that begins with growth begins with a sample of zero, one that begins with absence is
    born later with the events of its first step.
    """
    parts: list[str] = []
    value = Decimal(0)
    for number, (steps, growth) in enumerate(track):
        if steps <= 0:
            continue
        if growth is None:
            parts += _gap(steps, ended=bool(parts))
            continue
        first = value if number == 0 else value + growth
        count = steps if number == 0 else steps - 1
        parts.append(_run(first, growth, count))
        value = first + growth * count
    return " ".join(parts)


def gauge(track: Sequence[tuple[int, Decimal | int | None]]) -> str:
    """Write a gauge that keeps one value for each phase; the first phase has one sample more."""
    parts: list[str] = []
    for number, (steps, value) in enumerate(track):
        if steps <= 0:
            continue
        count = steps if number == 0 else steps - 1
        parts += (
            _gap(count + 1, ended=bool(parts)) if value is None else [_run(Decimal(value), Decimal(0), count)]
        )
    return " ".join(parts)


def exact(value: Decimal, rounding: str = ROUND_HALF_EVEN) -> Decimal:
    """Return a number next to `value` that floating point adds up without error.

    A counter that shrinks by a rounding error has been reset, as far as Prometheus can tell.
    """
    found = value
    for parts in _PARTS:
        found = (value * parts).to_integral_value(rounding) / parts
        if abs(found - value) * _MOST_OFF <= abs(value):
            break
    return found


def good(story: Sequence[Phase]) -> list[tuple[int, Decimal | None]]:
    """Return the track of good events."""
    return [(phase.steps, phase.good) for phase in story]


def bad(story: Sequence[Phase]) -> list[tuple[int, Decimal | None]]:
    """Return the track of bad events."""
    return [(phase.steps, phase.bad) for phase in story]


def every(story: Sequence[Phase]) -> list[tuple[int, Decimal | None]]:
    """Return the track of all events."""
    return [
        (phase.steps, None if phase.good is None and phase.bad is None else _sum(phase)) for phase in story
    ]


def _sum(phase: Phase) -> Decimal:
    return (phase.good or Decimal(0)) + (phase.bad or Decimal(0))


def _gap(steps: int, *, ended: bool) -> list[str]:
    if not ended:
        return [f"{_ABSENT}x{steps}"]
    return [_ENDED] if steps == 1 else [_ENDED, f"{_ABSENT}x{steps - 1}"]


def _run(first: Decimal, growth: Decimal, count: int) -> str:
    return f"{_plain(first)}+{_plain(growth)}x{count}" if growth else f"{_plain(first)}x{count}"


def _plain(value: Decimal) -> str:
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") or "0" if "." in text else text
