"""Stories of a queue that grows, stands or shrinks."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from obs.generate.derive.drafts import Case, Fact, Kit, Sample
from obs.generate.derive.samples import counter, gauge


def backlog_cases(kit: Kit, metric: str, labels: Mapping[str, str]) -> tuple[Case, ...]:
    """Return the cases of an alert on a queue that is long and grows."""
    k, wait, line = kit.window_steps, kit.for_steps, kit.settings.threshold
    end = k + wait + 4
    #: Grows over the line with the third step.
    pace = _fine(line * Decimal("0.4"))

    slow = _fine(line / 100 / end)

    def grows(*track: tuple[int, Decimal | None]) -> tuple[Sample, ...]:
        return (Sample(metric, labels, counter(track)),)

    def stands(depth: Decimal) -> tuple[Sample, ...]:
        return (Sample(metric, labels, gauge([(end, depth)])),)

    crossing = 2 + 3
    last = crossing + wait + 1
    facts = [Fact(crossing - 1, "silent")]
    if wait:
        facts += [Fact(crossing, "pending"), Fact(crossing + wait - 1, "pending")]
    # The slope of the window is flat once every sample in it is of the time after the growth.
    facts += [
        Fact(crossing + wait, "firing", ((labels, 0.0),)),
        Fact(last + k // 2, "firing", ((labels, 0.0),)),
        Fact(last + k + 1, "silent"),
    ]
    return (
        Case(
            "fires",
            "long, and grows",
            grows((end, pace)),
            (Fact(end, "firing", ((labels, float(pace * end)),)),),
        ),
        Case(
            "fires",
            "just above the line, and grows",
            grows((1, _fine(line * Decimal("1.01"))), (end, slow)),
            (Fact(end, "firing", ((labels, 0.0),)),),
        ),
        Case("silent", "long, and stands", stands(line * 3), (Fact(end, "silent"),)),
        Case(
            "silent",
            "grows, but stays just below the line",
            grows((end, _fine(line * Decimal("0.98") / end))),
            (Fact(end, "silent"),),
        ),
        Case("for", "grows, then stands", grows((2, Decimal(0)), (last - 2, pace), (k + 2, Decimal(0))), tuple(facts)),
        Case(
            "born",
            "a new queue is long at once",
            grows((2, None), (1, line * 2), (end, pace)),
            (Fact(2, "silent"), Fact(4 + wait, "firing", ((labels, 0.0),))),
        ),
        Case(
            "gone",
            "the queue is removed",
            grows((end, pace), (3, None)),
            (Fact(end, "firing", ((labels, 0.0),)), Fact(end + 1, "silent")),
        ),
    )  # fmt: skip


def _fine(depth: Decimal) -> Decimal:
    """Round to what a sample is written with; a gauge, unlike a counter, may be off by a rounding error."""
    return depth.quantize(Decimal("1e-9")).normalize()
