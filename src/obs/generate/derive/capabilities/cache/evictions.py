"""The alert on a cache that suddenly drops keys to make room, compared with the same hour yesterday."""

from __future__ import annotations

from decimal import Decimal

from obs.catalogue.cache import EVICTIONS
from obs.generate.derive.drafts import Case, Draft, Fact, Kit, Sample, words
from obs.generate.derive.expressions import total
from obs.generate.derive.samples import counter, exact
from obs.generate.derive.settings import Defaults
from obs.generate.model import Duration, Threshold

STORM = Defaults("ticket", Duration.parse("15m"), Decimal(10), "", Duration.parse("10m"))
_DAY, _HOUR = Duration.parse("1d"), Duration.parse("1h")
#: Fewer evictions a second than this are the ordinary life of a cache.
LEAST_NOW = Decimal(10)
#: How far the expression looks back.
LOOK_BACK = _DAY + _HOUR


def eviction_storm(kit: Kit) -> Draft:
    """Return CacheEvictionStorm: many times yesterday's evictions.

    A cache that was not there yesterday, or evicted nothing then, is judged by `LEAST_NOW` alone.
    """
    names, window, line = kit.names, kit.settings.window, kit.settings.threshold
    metric = names.metric(EVICTIONS.id)
    evictions = names.selector(metric)
    now = total(f"rate({evictions}[{window}])")
    past = total(f"rate({evictions}[{_HOUR}] offset {_DAY})")
    return Draft(
        name="CacheEvictionStorm",
        expr=f"{now} > {LEAST_NOW} and {now} > {line:f} * ({past} or 0 * {now})",
        signals=(EVICTIONS.id,),
        threshold=Threshold(
            line, "1", ">", f"more than {words(line, '')} times the evictions of the same hour yesterday"
        ),
        summary="{{ $labels.service }}: its cache drops {{ $value | humanize }} keys a second",
        description=(
            "The cache of {{ $labels.service }} ({{ $labels.environment }}) dropped {{ $value | humanize }} keys a second "
            f"in the last {window} to make room; the alert watches for more than {words(line, '')} times the figure of "
            f"the same hour yesterday, and more than {LEAST_NOW} a second."
        ),
        cases=_cases(kit, metric, line),
        window=LOOK_BACK,
    )


def _cases(kit: Kit, metric: str, line: Decimal) -> tuple[Case, ...]:
    k, wait = kit.window_steps, kit.for_steps
    day = kit.steps(LOOK_BACK) + k
    late = day + k + wait + 2
    end = late + k + 2
    #: Keys in a step at one a second.
    second = kit.step.seconds
    usual = LEAST_NOW / 5 * second

    def story(*track: tuple[int, Decimal | None]) -> tuple[Sample, ...]:
        grown = [(steps, None if growth is None else exact(growth)) for steps, growth in track]
        return (Sample(metric, {}, counter(grown)),)

    def now(times: Decimal) -> tuple[Sample, ...]:
        return story((day, usual), (end - day, usual * times))

    above, storm = line * Decimal("1.02"), usual * max(line * 2, Decimal(10))
    quiet = LEAST_NOW * second
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
            "a quiet hour after a busy half-day",
            story((day // 3, usual * line * 2), (day - day // 3, usual), (end - day, usual * 2)),
            (Fact(late, "silent"),),
        ),
        _step(kit, metric, line, day),
        Case(
            "born",
            "a new cache evicts at once",
            story((day, None), (end - day, storm)),
            (Fact(late, "firing"),),
        ),
        Case(
            "gone",
            "the cache vanishes in the storm",
            story((day, usual), (k + wait + 2, storm), (k + 3, None)),
            (Fact(late, "firing"), Fact(late + k + 1, "silent")),
        ),
    )


def _step(kit: Kit, metric: str, line: Decimal, day: int) -> Case:
    k, wait = kit.window_steps, kit.for_steps
    usual = max(LEAST_NOW, LEAST_NOW / line) * kit.step.seconds
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
