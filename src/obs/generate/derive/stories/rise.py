"""Stories for alerts on a rate that rises, compared with the same hour of an earlier day."""

from __future__ import annotations

from decimal import Decimal

from obs.generate.derive.drafts import Case, Fact, Kit, Sample
from obs.generate.derive.samples import counter, exact
from obs.generate.derive.stories.drop import HOUR
from obs.generate.model import Duration


def rise_cases(kit: Kit, metric: str, line: Decimal, least: Decimal, ago: Duration) -> tuple[Case, ...]:
    """Return the cases of an alert on a rate above `line` times that of the same hour `ago`.

    Fewer events a second than `least` are ordinary, whatever there was then.
    """
    k, wait = kit.window_steps, kit.for_steps
    day = kit.steps(ago + HOUR) + k
    late = day + k + wait + 2
    end = late + k + 2
    #: Events in a step at one a second.
    second = kit.step.seconds
    usual = least / 5 * second

    def story(*track: tuple[int, Decimal | None]) -> tuple[Sample, ...]:
        grown = [(steps, None if growth is None else exact(growth)) for steps, growth in track]
        return (Sample(metric, {}, counter(grown)),)

    def now(times: Decimal) -> tuple[Sample, ...]:
        return story((day, usual), (end - day, usual * times))

    above, storm = line * Decimal("1.02"), usual * max(line * 2, Decimal(10))
    quiet = least * second
    return (
        Case(
            "fires",
            "just above the line",
            now(max(above, Decimal("5.1"))),
            (Fact(late, "firing", (({}, float(exact(usual * max(above, Decimal("5.1"))) / second)),)),),
        ),
        Case("silent", "just below the line", now(line * Decimal("0.98")), (Fact(late, "silent"),)),
        Case(
            "silent",
            "many times next to nothing",
            story((day, Decimal(0)), (end - day, quiet * Decimal("0.98"))),
            (Fact(late, "silent"),),
        ),
        Case(
            "fires",
            "nothing yesterday",
            story((day, Decimal(0)), (end - day, quiet * Decimal("1.02"))),
            (Fact(late, "firing"),),
        ),
        Case(
            "silent",
            "as busy as at this hour yesterday, after a quiet half-day",
            story((day // 3, usual * line * 2), (day - day // 3, usual), (end - day, usual * line * 2)),
            (Fact(late, "silent"),),
        ),
        _step(kit, metric, line, least, day),
        Case(
            "born",
            "a new service has many at once",
            story((day, None), (end - day, storm)),
            (Fact(late, "firing"),),
        ),
        Case(
            "gone",
            "the service vanishes in the storm",
            story((day, usual), (k + wait + 2, storm), (k + 3, None)),
            (Fact(late, "firing"), Fact(late + k + 1, "silent")),
        ),
    )


def _step(kit: Kit, metric: str, line: Decimal, least: Decimal, day: int) -> Case:
    k, wait = kit.window_steps, kit.for_steps
    usual = max(least, least / line) * kit.step.seconds
    crossing = max(2, k // 2)
    # Between what the window holds a step before the crossing and at it, whichever Prometheus counts.
    middle = (Decimal(crossing - 1) / (k - 1) + Decimal(crossing) / k) / 2
    storm = usual + usual * (line - 1) / middle
    recovery = day + crossing + wait + k
    track = [(day, exact(usual)), (recovery - day, exact(storm)), (2 * k + 2, exact(usual))]
    facts = [Fact(day + crossing - 1, "silent")]
    if wait:
        facts += [Fact(day + crossing, "pending"), Fact(day + crossing + wait - 1, "pending")]
    facts += [Fact(day + crossing + wait, "firing"), Fact(recovery + k + 1, "silent")]
    return Case("for", "a storm that ends", (Sample(metric, {}, counter(track)),), tuple(facts))
