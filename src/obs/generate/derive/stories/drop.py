"""Stories for alerts on a rate that falls, compared with the same hour of an earlier day."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from obs.generate.derive.drafts import Case, Fact, Kit, Sample
from obs.generate.derive.samples import counter, exact
from obs.generate.model import Duration

#: How long the past is looked at.
HOUR = Duration.parse("1h")
_HALF_DAY = Duration.parse("12h")


def drop_cases(  # noqa: PLR0917 - each is a fact of the alert
    kit: Kit, metric: str, labels: Mapping[str, str], line: Decimal, least: Decimal, ago: Duration
) -> tuple[Case, ...]:
    """Return the cases of an alert on a rate below `line` times that of the same hour `ago`.

    `labels` are those of the one series of the stories; below `least` events a second then, half of them is chance.
    """
    k, wait = kit.window_steps, kit.for_steps
    day = kit.steps(ago + HOUR) + k
    #: Events in each step: well above the least.
    pace = least * kit.step.milliseconds / 1000 * 20
    settled = day + k + 1
    end = settled + wait + k + 2

    def story(*track: tuple[int, Decimal | None], instance: str = "one") -> Sample:
        return Sample(
            metric,
            {"instance": instance, **labels},
            counter([(steps, None if growth is None else exact(growth)) for steps, growth in track]),
        )

    def drop_to(share: Decimal) -> tuple[Sample, ...]:
        # So many that a small share of them is no rounding error.
        many = pace * 1024
        return (story((day, many), (end - day, many * share)),)

    few = Decimal("0.95") / 20
    late = settled + wait + 1
    quiet: tuple[Sample, ...] = (story((day, pace * few), (end - day, Decimal(0))),)
    busier: tuple[Sample, ...] = (story((day, pace * few * Decimal("1.1")), (end - day, Decimal(0))),)
    # Busy until shortly before that hour comes again, so that no nearer hour would do.
    third = kit.steps(ago) // 3
    half = kit.steps(ago) - third - min(kit.steps(ago) // 6, kit.steps(_HALF_DAY))
    below = line * Decimal("0.98")
    return (
        Case(
            "fires",
            "just below the line",
            drop_to(below),
            (Fact(late, "firing", (({}, float(below)),)),),
        ),
        Case(
            "silent",
            "just above the line",
            drop_to(line * Decimal("1.02")),
            (Fact(settled, "silent"), Fact(late, "silent")),
        ),
        Case(
            "silent",
            "a quiet hour after a busy half-day",
            (story((third, pace), (half, 4 * pace), (end - third - half, pace)),),
            (Fact(settled, "silent"), Fact(late, "silent")),
        ),
        Case("silent", "too few yesterday", quiet, (Fact(late, "silent"),)),
        Case("fires", "enough yesterday", busier, (Fact(late, "firing"),)),
        _step(kit, day, pace, line, (metric, labels)),
        Case(
            "born",
            "every instance is replaced by a new one",
            (story((day, pace), (end - day, None)), story((day, None), (end - day, pace), instance="two")),
            (Fact(settled, "silent"), Fact(late, "silent")),
        ),
        Case(
            "gone",
            "every instance vanishes",
            (story((day, pace), (end - day, None)),),
            (Fact(day - 1, "silent"), Fact(late + k, "firing")),
        ),
    )


def _step(kit: Kit, day: int, pace: Decimal, line: Decimal, series: tuple[str, Mapping[str, str]]) -> Case:
    k, wait = kit.window_steps, kit.for_steps
    metric, labels = series
    # After m silent steps of k, k - m remain (k - 1 - m of k - 1 from Prometheus 3 on).
    crossing = next(m for m in range(1, k + 1) if Decimal(k - m) / k < line)
    early = max(0, crossing - 2)
    recovery = day + crossing + wait + k
    sample = counter([(day, exact(pace)), (recovery - day, Decimal(0)), (2 * k + 2, exact(pace))])
    facts = [Fact(day + early, "silent")]
    if wait > 1:
        facts += [Fact(day + crossing, "pending"), Fact(day + crossing + wait - 2, "pending")]
    facts += [Fact(day + crossing + wait + 1, "firing"), Fact(recovery + k + 1, "silent")]
    return Case("for", "stops and comes back", (Sample(metric, labels, sample),), tuple(facts))
