"""Alerts on all targets at once, and on scrapes that become slow or large."""

from __future__ import annotations

from decimal import Decimal

from obs.catalogue.target import SCRAPE_DURATION, SCRAPE_SAMPLES, UP
from obs.generate.derive.capabilities.targets.alerts import MEMORY
from obs.generate.derive.drafts import Case, Draft, Fact, Kit, Sample, words
from obs.generate.derive.samples import gauge
from obs.generate.derive.settings import Defaults
from obs.generate.derive.stories.level import Track, level_cases, near
from obs.generate.derive.vocabulary import BY
from obs.generate.model import Duration, Threshold

ALL_DOWN = Defaults("page", Duration.parse("1m"))
SLOW = Defaults("ticket", Duration.parse("15m"), Decimal(8), "s")
JUMP = Defaults("ticket", Duration.parse("30m"), Decimal(2), window=Duration.parse("1h"))

_DAY = Duration.parse("1d")
#: Where a scrape is given up: Prometheus' own limit, and the interval when that is shorter.
_TIMEOUT = Decimal(10)
#: The share of that time from which on scrapes are about to fail.
_NEARLY = Decimal("0.8")
#: Fewer samples than this cost nothing, however fast they grow.
LEAST_SAMPLES = 10_000


def all_targets_down(kit: Kit) -> Draft:
    """Return JobAllTargetsDown: nothing of the service answers, or all of it has left the targets."""
    names = kit.names
    metric = names.metric(UP.id)
    up = names.selector(metric)
    gone = f"group by ({BY}) (last_over_time({up}[{MEMORY}])) unless group by ({BY}) ({up})"
    return Draft(
        name="JobAllTargetsDown",
        expr=f"max by ({BY}) ({up}) == 0 or 0 * ({gone})",
        signals=(UP.id,),
        threshold=Threshold(Decimal(0), "1", "==", "no target answers any more"),
        summary="{{ $labels.service }}: no target answers",
        description=(
            "Prometheus cannot scrape a single target of {{ $labels.service }} ({{ $labels.environment }}), "
            "or none is left. While this lasts, the other alerts of the service are held back."
        ),
        cases=_all_down_cases(kit, metric),
        window=MEMORY,
        omits={"born": "the scrape itself writes `up`, from the first one on"},
    )


def _all_down_cases(kit: Kit, metric: str) -> tuple[Case, ...]:
    wait = kit.for_steps
    down: tuple[tuple[dict[str, str], float], ...] = (({}, 0.0),)

    def up(*track: tuple[int, int | None], instance: str = "one") -> Sample:
        return Sample(metric, {"instance": instance}, gauge(track))

    step = [Fact(2, "silent")]
    if wait:
        step += [Fact(3, "pending"), Fact(3 + wait - 1, "pending")]
    step += [Fact(3 + wait, "firing", down), Fact(5 + wait, "silent")]
    return (
        Case(
            "fires",
            "both of two are down",
            (up((wait + 2, 0)), up((wait + 2, 0), instance="two")),
            (Fact(wait + 1, "firing", down),),
        ),
        Case(
            "silent",
            "one of two is down",
            (up((wait + 2, 0)), up((wait + 2, 1), instance="two")),
            (Fact(wait + 1, "silent"),),
        ),
        Case("for", "goes down and comes back", (up((2, 1), (wait + 2, 0), (3, 1)),), tuple(step)),
        Case(
            "gone",
            "every target is removed",
            (up((2, 1), (wait + 4, None)),),
            (Fact(2, "silent"), Fact(3 + wait, "firing", down)),
        ),
    )


def scrape_slow(kit: Kit) -> Draft:
    """Return ScrapeSlow: scrapes take nearly as long as they may."""
    names = kit.names
    metric = names.metric(SCRAPE_DURATION.id)
    # Where scrapes are given up sooner, the line must be reached before that.
    line = min(kit.settings.threshold, _NEARLY * min(_TIMEOUT, kit.service.scrape_interval.seconds))

    def write(track: Track) -> tuple[Sample, ...]:
        return (Sample(metric, {}, gauge(track)),)

    above, below, low = near(line)
    return Draft(
        name="ScrapeSlow",
        expr=f"max by ({BY}, instance) ({names.selector(metric)}) > {line:f}",
        signals=(SCRAPE_DURATION.id,),
        threshold=Threshold(line, "s", ">", f"a scrape takes longer than {words(line, 's')}"),
        summary="{{ $labels.service }}: a scrape of {{ $labels.instance }} takes {{ $value | humanizeDuration }}",
        description=(
            "Prometheus needs {{ $value | humanizeDuration }} to read {{ $labels.instance }} of {{ $labels.service }} "
            f"({{{{ $labels.environment }}}}); the alert watches for more than {words(line, 's')}, "
            "and a little above that scrapes fail."
        ),
        cases=level_cases(kit, write, above=above, below=below, low=low, shows={"instance": "one"}),
        window=Duration(0),
    )


def series_jump(kit: Kit) -> Draft:
    """Return ScrapeSeriesJump: the largest instance exposes many more samples than a day ago."""
    names, line, window = kit.names, kit.settings.threshold, kit.settings.window
    metric = names.metric(SCRAPE_SAMPLES.id)
    samples = names.selector(metric)
    now = f"max by ({BY}) ({samples})"
    # An hour of yesterday: one scrape that failed then must not look like growth now.
    past = f"max by ({BY}) (max_over_time({samples}[{window}] offset {_DAY}))"
    return Draft(
        name="ScrapeSeriesJump",
        expr=f"({now} > {LEAST_SAMPLES}) / {past} > {line:f}",
        signals=(SCRAPE_SAMPLES.id,),
        threshold=Threshold(line, "1", ">", f"more than {line:f} times the samples of a day ago"),
        summary="{{ $labels.service }}: {{ $value | humanize }} times the samples of yesterday",
        description=(
            "The largest instance of {{ $labels.service }} ({{ $labels.environment }}) exposes "
            "{{ $value | humanize }} times as many samples as a day ago; "
            f"the alert watches for more than {line:f} times, from {LEAST_SAMPLES} samples on."
        ),
        cases=_jump_cases(kit, metric, line),
        window=_DAY + window,
    )


def _jump_cases(kit: Kit, metric: str, line: Decimal) -> tuple[Case, ...]:
    wait, day = kit.for_steps, kit.steps(_DAY) + kit.window_steps
    late = day + wait + 1
    many = Decimal(2 * LEAST_SAMPLES)

    def story(*track: tuple[int, Decimal | None], instance: str = "one") -> Sample:
        return Sample(metric, {"instance": instance}, gauge(track))

    def grows(times: Decimal, before: Decimal = many) -> tuple[Sample, ...]:
        return (story((day, before), (wait + 2, before * times)),)

    above, below = line * Decimal("1.02"), line * Decimal("0.98")
    few, third = Decimal(LEAST_SAMPLES) / 4, kit.steps(_DAY) // 3
    much = line * 4
    small = (Decimal(LEAST_SAMPLES) * Decimal("1.02") / much).quantize(Decimal(1)) + 1
    step = [Fact(day, "silent")]
    if wait:
        step += [Fact(day + 1, "pending"), Fact(day + wait, "pending")]
    step += [Fact(late, "firing", (({}, float(above)),)), Fact(late + 2, "silent")]
    return (
        Case("fires", "just above the line", grows(above), (Fact(late, "firing", (({}, float(above)),)),)),
        Case("silent", "just below the line", grows(below), (Fact(late, "silent"),)),
        Case(
            "silent",
            "grows many times, and is still small",
            (story((day, few / line), (wait + 2, few * 4 * Decimal("0.98"))),),
            (Fact(late, "silent"),),
        ),
        Case(
            "fires",
            "grows many times, and is no longer small",
            (story((day, small), (wait + 2, small * much)),),
            (Fact(late, "firing", (({}, float(much)),)),),
        ),
        Case(
            "silent",
            "as large as at this hour yesterday, after a small half-day",
            (story((third, many * much), (day - third, many), (wait + 2, many * much)),),
            (Fact(late, "silent"),),
        ),
        Case(
            "for",
            "grows and shrinks again",
            (story((day, many), (wait + 2, many * above), (3, many)),),
            tuple(step),
        ),
        Case(
            "born",
            "every instance is replaced by a larger one",
            (story((day, many), (wait + 2, None)), story((day, None), (wait + 2, many * 3), instance="two")),
            (Fact(day, "silent"), Fact(late + 1, "firing", (({}, 3.0),))),
        ),
        Case(
            "gone",
            "every instance vanishes",
            (story((day, many), (wait + 3, None)),),
            (Fact(late, "silent"),),
        ),
    )
