"""Stories for alerts on a gauge, or a ratio of gauges, that stays above a line.

No window is involved, so every step is exact: a value is over the line at the step at which it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

from obs.generate.derive.drafts import Case, Fact, Kit, Sample

#: Turns a track (steps and value, None for no series) into the series of the metric at hand.
Track = Sequence[tuple[int, Decimal | None]]
Writer = Callable[[Track], tuple[Sample, ...]]


def level_cases(
    kit: Kit, write: Writer, *, above: Decimal, below: Decimal, low: Decimal, shows: Mapping[str, str]
) -> tuple[Case, ...]:
    """Return the five cases of an alert on a level.

    `above` and `below` are the nearest values on either side of the line, `low` is an ordinary one;
    `shows` are the labels of the alert beside those of the service.
    """
    wait = kit.for_steps
    firing = ((shows, float(above)),)
    step = [Fact(2, "silent")]
    if wait:
        step += [Fact(3, "pending"), Fact(2 + wait, "pending")]
    step += [Fact(3 + wait, "firing", firing), Fact(5 + wait, "silent")]
    return (
        Case("fires", "just above the line", write([(wait + 2, above)]), (Fact(wait + 1, "firing", firing),)),
        Case("silent", "just below the line", write([(wait + 2, below)]), (Fact(wait + 1, "silent"),)),
        Case("for", "rises and falls", write([(2, low), (wait + 2, above), (3, low)]), tuple(step)),
        Case(
            "born",
            "a new series is over the line from its first value on",
            write([(2, None), (wait + 3, above)]),
            (Fact(2, "silent"), Fact(3 + wait, "firing", firing)),
        ),
        Case(
            "gone",
            "the series ends while it is over the line",
            write([(wait + 2, above), (3, None)]),
            (Fact(wait + 2, "firing", firing), Fact(wait + 3, "silent")),
        ),
    )


def near(line: Decimal, *, most: Decimal | None = None) -> tuple[Decimal, Decimal, Decimal]:
    """Return a value just above `line`, one just below, and a low one; none exceeds `most`."""
    above = line * Decimal("1.02")
    if most is not None:
        above = min(above, (line + most) / 2)
    return above, line * Decimal("0.98"), line / 2
