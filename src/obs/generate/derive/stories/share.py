"""Stories for alerts on the share of bad events in a window.

The figures are the author's, worked out on paper from what the alert promises; they are not read
back from its expression. With `k` steps a window, the increase over the window spans k of them up to
Prometheus 2 and k - 1 from 3.0 on (ranges became left-open), so the step at which a share is
crossed is chosen to be the same for both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

from obs.generate.derive.drafts import Case, Fact, Kit, Sample
from obs.generate.derive.samples import Phase
from obs.generate.derive.stories.births import (
    FIRST_SIGHT,
    answering,
    earliest_birth,
    first_sight_case,
    first_sight_steps,
)
from obs.generate.model import Kind

#: Why such an alert is not told of series that are gone.
OMITS: Mapping[Kind, str] = {
    "gone": "events of a vanished instance stay in the window, and TargetDown tells of the rest"
}
#: Events in each step: so many that the floor on bad events plays no part and every share is whole events.
BUSY = Decimal(1_000_000_000)
_ZERO = Decimal(0)

#: Turns a story, told of one instance, into the series of the metric at hand.
Writer = Callable[[Sequence[Phase], str], tuple[Sample, ...]]


def share_cases(
    kit: Kit,
    write: Writer,
    value_of: Callable[[Decimal], float],
    *,
    line: Decimal,
    floor: int,
    shows: Mapping[str, str] | None = None,
) -> tuple[Case, ...]:
    """Return the cases of an alert that fires when more than `line` of the events are bad.

    `value_of` says what the alert shows for a steady share; `floor` is the fewest bad events.
    """
    labels = shows or {}
    k, wait = kit.window_steps, kit.for_steps
    settled = k + wait
    above = whole(min(line * Decimal("1.02"), (line + 1) / 2))

    def steady(share: Decimal, events: Decimal = BUSY) -> tuple[Sample, ...]:
        return write([Phase(settled + 2, events * (1 - share), events * share)], "one")

    few = Decimal(floor) / k
    cases = [
        Case(
            "fires",
            "just above the line",
            steady(above),
            (Fact(settled + 1, "firing", ((labels, value_of(above)),)),),
        ),
        Case(
            "silent",
            "just below the line",
            steady(whole(line * Decimal("0.98"))),
            (Fact(k, "silent"), Fact(settled + 1, "silent")),
        ),
        Case(
            "fires",
            "quiet and all bad",
            steady(Decimal(1), few * Decimal("1.02")),
            (Fact(settled + 1, "firing", ((labels, value_of(Decimal(1))),)),),
        ),
        step_case(kit, write, line=line, shows=labels),
        _born(kit, write, floor=floor, shown=(labels, value_of(Decimal(1)))),
        first_sight_case(kit, write(_first_sight(kit, floor), "one")),
    ]
    if floor > 1:
        too_few = steady(Decimal(1), few * Decimal("0.9"))
        cases.append(
            Case("silent", "all bad but too few", too_few, (Fact(k, "silent"), Fact(settled + 1, "silent")))
        )
    return tuple(cases)


def step_case(kit: Kit, write: Writer, *, line: Decimal, shows: Mapping[str, str]) -> Case:
    """Return the case of a service that turns bad at once and recovers at once.

    It pins the window (when the line is crossed, and when the memory of it ends) and the wait.
    """
    k, wait = kit.window_steps, kit.for_steps
    crossing, share = crossing_of(k, line)
    # Before, every series is new.
    start = k + 1
    recovery = start + crossing + wait + k
    story = [
        Phase(start, BUSY, _ZERO),
        Phase(recovery - start, BUSY * (1 - share), BUSY * share),
        Phase(2 * k + 2, BUSY, _ZERO),
    ]
    full = share_value(share)
    if crossing == k:
        # Only a window that is all bad crosses such a line, which is a step sooner from Prometheus 3 on.
        facts = [
            Fact(start + k // 2, "silent"),
            Fact(start + k + wait, "firing", ((shows, full),)),
            Fact(recovery + k + 1, "silent"),
        ]
        return Case("for", "turns bad and recovers", write(story, "one"), tuple(facts))
    facts = [Fact(start + crossing - 1, "silent")]
    if wait:
        facts += [Fact(start + crossing, "pending"), Fact(start + crossing + wait - 1, "pending")]
    facts += [
        Fact(start + crossing + wait, "firing", ((shows, full),)),
        # A line that takes nearly all of the window to cross is left at once.
        Fact(recovery + min(k // 4, k - 1 - crossing), "firing", ((shows, full),)),
        Fact(recovery + k + 1, "silent"),
    ]
    return Case("for", "turns bad and recovers", write(story, "one"), tuple(facts))


def crossing_of(k: int, line: Decimal) -> tuple[int, Decimal]:
    """Return after how many bad steps of `k` the line is crossed, and the share that makes it so."""
    for crossing in range(max(2, k // 2), k):
        middle = (Decimal(crossing - 1) / (k - 1) + Decimal(crossing) / k) / 2
        if line / middle <= 1:
            return crossing, whole(line / middle)
    return k, Decimal(1)


def whole(share: Decimal) -> Decimal:
    """Return a share that makes whole numbers of the events of a busy step."""
    return share.quantize(1 / BUSY)


def share_value(share: Decimal) -> float:
    """Return a share as the number an alert shows."""
    return float(share)


def _born(kit: Kit, write: Writer, *, floor: int, shown: tuple[Mapping[str, str], float]) -> Case:
    """Return the case of instances that come up one after another, each with half of the floor and no more.

    A plain increase sees nothing of it.
    """
    k, wait = kit.window_steps, kit.for_steps
    # Three births in each window, of which two reach the floor; the second one is at 1 + pace.
    pace = max(1, k // 3)
    first = earliest_birth(kit)
    end = first + 1 + pace + wait
    bad_ones = Decimal(-(-floor // 2))
    series: list[Sample] = []
    births = range(first, end, pace)
    forgotten = births[-1] + k + 1
    for number, birth in enumerate(births):
        rest = forgotten - birth
        story = [Phase(birth, None, None), Phase(1, _ZERO, bad_ones), Phase(rest, _ZERO, _ZERO)]
        series += write(story, f"pod-{number}")
    return Case(
        "born",
        f"every instance is born with {'one bad event' if bad_ones == 1 else 'a few bad events'}",
        (answering(kit, forgotten), *series),
        (Fact(end, "firing", (shown,)), Fact(forgotten, "silent")),
    )


def _first_sight(kit: Kit, floor: int) -> list[Phase]:
    old = Decimal(10 * floor)
    return [
        Phase(FIRST_SIGHT, None, None),
        Phase(1, _ZERO, old),
        Phase(first_sight_steps(kit), _ZERO, _ZERO),
    ]
