"""Stories for alerts on a level: a gauge, or a quotient of gauges, beyond a line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

from obs.generate.derive.drafts import Case, Fact, Kit, Sample

#: Steps and the level in them; None: the series does not exist.
Track = Sequence[tuple[int, Decimal | None]]
#: Turns a track into the series of the metrics at hand.
Writer = Callable[[Track], tuple[Sample, ...]]


def level_cases(
    kit: Kit,
    write: Writer,
    *,
    beyond: Decimal,
    short: Decimal,
    shows: Mapping[str, str] | None = None,
    value_of: Callable[[Decimal], float] = float,
) -> tuple[Case, ...]:
    """Return the cases of an alert on a level: `beyond` is just past its line, `short` just before it.

    `value_of` says what the alert shows at a level.
    """
    wait = kit.for_steps
    firing = (((shows or {}), value_of(beyond)),)
    facts = [Fact(2, "silent")]
    if wait:
        facts += [Fact(3, "pending"), Fact(3 + wait - 1, "pending")]
    facts += [Fact(3 + wait, "firing", firing), Fact(5 + wait, "silent")]
    return (
        Case(
            "fires", "just beyond the line", write([(wait + 2, beyond)]), (Fact(wait + 1, "firing", firing),)
        ),
        Case("silent", "just short of the line", write([(wait + 2, short)]), (Fact(wait + 1, "silent"),)),
        Case(
            "for",
            "goes beyond and comes back",
            write([(2, short), (wait + 2, beyond), (3, short)]),
            tuple(facts),
        ),
        Case(
            "born",
            "is beyond the line from its first sample",
            write([(2, None), (wait + 2, beyond)]),
            (Fact(2, "silent"), Fact(3 + wait, "firing", firing)),
        ),
    )
