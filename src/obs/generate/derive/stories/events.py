"""Stories for alerts on a number of events in a window.

The figures are worked out on paper from what the alert promises. With `k` steps a window, the increase
over the window spans k of them up to Prometheus 2 and k - 1, scaled to k, from 3.0 on (ranges became
left-open); the step at which the line is crossed is chosen to be the same for both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from obs.generate.derive.drafts import Case, Fact, Kit, Sample
from obs.generate.derive.samples import exact
from obs.generate.derive.stories.births import (
    FIRST_SIGHT,
    answering,
    earliest_birth,
    first_sight_case,
    first_sight_steps,
)

#: Steps and how many events happen in each; None: the series does not exist.
Track = Sequence[tuple[int, Decimal | None]]
#: Turns a track into the series of the metric at hand.
Writer = Callable[[Track], tuple[Sample, ...]]

_ZERO = Decimal(0)


def event_cases(
    kit: Kit, write: Writer, *, least: Decimal, shows: Mapping[str, str] | None = None
) -> tuple[Case, ...]:
    """Return the cases of an alert that fires when at least `least` events happen in its window.

    The alert shows the number of events, so no fact names it while a window is partly filled: there
    versions of Prometheus differ. Its wait must be shorter than its window, or a burst would be
    forgotten before it is told.
    """
    labels = shows or {}
    k, wait = kit.window_steps, kit.for_steps
    settled = 2 * k + wait
    above = exact(least * Decimal("1.02") / k, ROUND_CEILING)
    below = exact(least * Decimal("0.98") / k, ROUND_FLOOR)
    return (
        Case(
            "fires",
            "just enough events",
            write([(settled + 2, above)]),
            (Fact(settled + 1, "firing", ((labels, _shown(kit, above)),)),),
        ),
        Case(
            "silent",
            "just too few events",
            write([(settled + 2, below)]),
            (Fact(k, "silent"), Fact(settled + 1, "silent")),
        ),
        _step(kit, write, least, labels),
        _born(kit, write, least=least, shows=labels, says="a new series is born with all of them"),
        Case(
            "gone",
            "the instance that counted vanishes",
            write([(settled, above), (k + 3, None)]),
            (Fact(settled, "firing", ((labels, _shown(kit, above)),)), Fact(settled + k + 2, "silent")),
        ),
        first_sight_case(kit, write([(FIRST_SIGHT, None), (1, least * 10), (first_sight_steps(kit), _ZERO)])),
    )


def brief_cases(
    kit: Kit, write: Writer, *, least: Decimal, shows: Mapping[str, str], of: str
) -> tuple[Case, ...]:
    """Return what tells that one more counter, `of` a kind of its own, is watched in the same way."""
    k, wait = kit.window_steps, kit.for_steps
    settled = 2 * k + wait
    above = exact(least * Decimal("1.02") / k, ROUND_CEILING)
    below = exact(least * Decimal("0.98") / k, ROUND_FLOOR)
    return (
        Case(
            "fires",
            f"just enough events of {of}",
            write([(settled + 2, above)]),
            (Fact(settled + 1, "firing", ((shows, _shown(kit, above)),)),),
        ),
        Case(
            "silent",
            f"just too few events of {of}",
            write([(settled + 2, below)]),
            (Fact(settled + 1, "silent"),),
        ),
        _born(kit, write, least=least, shows=shows, says=f"a new series of {of} is born with all of them"),
    )


def _born(kit: Kit, write: Writer, *, least: Decimal, shows: Mapping[str, str], says: str) -> Case:
    k, wait, birth = kit.window_steps, kit.for_steps, earliest_birth(kit)
    firing = ((shows, float(least)),)
    return Case(
        "born",
        says,
        (answering(kit, birth + k + 3), *write([(birth, None), (1, least), (k + 3, _ZERO)])),
        (
            Fact(birth - 1, "silent"),
            Fact(birth + wait, "firing", firing),
            Fact(birth + k - 1, "firing", firing),
            Fact(birth + k + 2, "silent"),
        ),
    )


def _step(kit: Kit, write: Writer, least: Decimal, labels: Mapping[str, str]) -> Case:
    """Return the case of a burst that fills the window and ends: it pins the window and the wait."""
    k, wait = kit.window_steps, kit.for_steps
    crossing = max(1, k // 2)
    pace = exact(least / (crossing - Decimal("0.5")), ROUND_CEILING)
    start = 2 * k
    end = start + k + wait
    facts = [Fact(start + crossing - 1, "silent")]
    if wait:
        facts += [Fact(start + crossing, "pending"), Fact(start + crossing + wait - 1, "pending")]
    facts += [
        Fact(end, "firing", ((labels, _shown(kit, pace)),)),
        Fact(end + k - crossing + 1, "silent"),
    ]
    story = write([(start, _ZERO), (end - start, pace), (k + 2, _ZERO)])
    return Case("for", "a burst begins and ends", story, tuple(facts))


def _shown(kit: Kit, pace: Decimal) -> float:
    """Return what a full window of `pace` events a step shows, whole steps or not."""
    return float(pace * kit.settings.window.milliseconds / kit.step.milliseconds)
