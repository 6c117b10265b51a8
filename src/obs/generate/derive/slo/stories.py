"""Stories for the alerts of an SLO: fast burns on a grid of ten minutes, slow ones on one of thirty.

The figures follow from the burn rates of the SRE Workbook by hand. A window of n steps holds n
samples from Prometheus 3 on and n + 1 before (ranges became left-open), so every fact keeps clear of
the steps between the two.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from obs.catalogue.target import UP
from obs.generate.derive.drafts import Case, Fact, Kit, Sample
from obs.generate.derive.samples import Phase, bad, counter, every, gauge, good
from obs.generate.derive.slo.windows import FAST, SLOW, threshold
from obs.generate.model import Duration, LatencySli, RatioSli, Slo

#: Events of a step: many against every floor, and every share of them is a whole number.
_BUSY = Decimal(1_000_000_000)
_NONE = Decimal(0)
#: Steps of an hour, for the fast alert.
_HOUR = 6
#: Steps of a day, for the slow alert.
_DAY = 48
#: A service without a request for so long has none in a quiet night, or no working instrumentation.
IDLE = Duration.parse("6h")
#: How far above its line a pair is driven, so that it crosses within its long window.
_SHARP, _BROAD = Decimal("1.45"), Decimal("1.9")


def burn_cases(kit: Kit, slo: Slo, name: str) -> tuple[Case, ...]:
    """Return the cases of one of the two burn alerts."""
    fast = name == "ErrorBudgetBurnFast"
    first, second = FAST if fast else SLOW
    steep, gentle = threshold(first, slo), threshold(second, slo)
    above = _whole(min(steep * Decimal("1.02"), (steep + 1) / 2))
    below = _whole(gentle * Decimal("0.98"))
    longest = (6 * _HOUR if fast else 3 * _DAY) + 2
    floor = Decimal(slo.min_bad_events)

    def case(kind: str, says: str, story: Sequence[Phase], *facts: Fact) -> Case:
        return Case(kind, says, _series(kit, slo, story), facts)  # type: ignore[arg-type]  # literals below

    def steady(steps: int, share: Decimal, events: Decimal = _BUSY) -> list[Phase]:
        return [Phase(steps + 1, events * (1 - share), events * share)]

    def shows(share: Decimal) -> tuple[tuple[dict[str, str], float], ...]:
        return (({}, float(share)),)

    sharp = _whole(min(steep * _SHARP, Decimal(1)))
    few, enough = floor * Decimal("0.9") / longest, floor * Decimal("1.1") / (longest - 2)
    return (
        case("fires", "just above the line", steady(20, above), Fact(20, "firing", shows(above))),
        case("silent", "just below the line", steady(20, below), Fact(2, "silent"), Fact(20, "silent")),
        case("silent", "all bad but too few", steady(longest, Decimal(1), few), Fact(longest, "silent")),
        case("fires", "quiet and all bad", steady(longest, Decimal(1), enough), Fact(longest, "firing", shows(Decimal(1)))),
        _hour_pair(kit, slo, sharp, steep) if fast else _day_pair(kit, slo, sharp),
        (_six_hour_pair if fast else _three_day_pair)(kit, slo, _whole(gentle * _BROAD)),
        _born(kit, slo),
        _lifetime(kit, slo),
    )  # fmt: skip


def _hour_pair(kit: Kit, slo: Slo, share: Decimal, line: Decimal) -> Case:
    """Six clean hours, then a steep burn: the hour crosses its line before the six hours do."""
    early, late = _crossing(_HOUR, line / share), _crossing(_HOUR + 1, line / share)
    start, last = 6 * _HOUR, max(early, late) + 1
    story = [_clean(start), _burning(last, share), _clean(4)]
    facts = (
        Fact(start + min(early, late) - 1, "silent"),
        Fact(start + max(early, late), "firing", (({}, float(share)),)),
        Fact(start + last + 1, "silent"),
    )
    return Case("for", "burns steeply for an hour", _series(kit, slo, story), facts)


def _six_hour_pair(kit: Kit, slo: Slo, share: Decimal) -> Case:
    """Six clean hours, then a burn too gentle for the hour; it ends within the half-hour window."""
    start, last = 6 * _HOUR, 24
    story = [_clean(start), _burning(last, share), _clean(6)]
    facts = (
        Fact(start + 18, "silent"),
        Fact(start + 20, "firing", (({}, float(share)),)),
        Fact(start + last + 3, "silent"),
    )
    return Case("for", "burns gently for hours", _series(kit, slo, story), facts)


def _day_pair(kit: Kit, slo: Slo, share: Decimal) -> Case:
    """Two busy clean days dilute the three-day window, so that the quiet bad day is seen by the day alone."""
    start, last = 3 * _DAY, 37
    story = [Phase(2 * _DAY, _BUSY * 20, _NONE), _clean(_DAY), _burning(last, share), _clean(10)]
    facts = (
        Fact(start + 32, "silent"),
        Fact(start + 35, "firing", (({}, float(share)),)),
        Fact(start + last + 3, "silent"),
    )
    return Case("for", "burns for a quiet day", _series(kit, slo, story), facts)


def _three_day_pair(kit: Kit, slo: Slo, share: Decimal) -> Case:
    """Three clean days, then a burn too gentle for the day."""
    start, last = 3 * _DAY, 80
    story = [_clean(start), _burning(last, share), _clean(10)]
    facts = (
        Fact(start + 74, "silent"),
        Fact(start + 78, "firing", (({}, float(share)),)),
        Fact(start + last + 8, "silent"),
    )
    return Case("for", "burns gently for days", _series(kit, slo, story), facts)


def _born(kit: Kit, slo: Slo) -> Case:
    """Instances come up one after another, each born with a few bad events and no more."""
    # Few enough that an hour sees them all; together all but two of them reach the floor.
    pods = min(slo.min_bad_events, 4) + 2
    born = Decimal(-(-slo.min_bad_events // (pods - 2)))
    samples: list[Sample] = []
    for number in range(pods):
        story = [Phase(2 + number, None, None), Phase(1, _NONE, born), Phase(10, _NONE, _NONE)]
        samples += _series(kit, slo, story, f"pod-{number}")
    at = pods + 1
    shown: tuple[tuple[dict[str, str], float], ...] = (({}, 1.0),)
    return Case(
        "born", "every instance is born with bad events", tuple(samples), (Fact(at, "firing", shown),)
    )


def _lifetime(kit: Kit, slo: Slo) -> Case:
    """Prometheus starts late: what a counter gathered before is no event of this minute."""
    story = [Phase(2, None, None), Phase(1, _NONE, _BUSY), Phase(6, _BUSY, _NONE)]
    up = Sample(_up(kit), {}, gauge([(1, None), (10, 1)]))
    counted = tuple(sample for sample in _series(kit, slo, story) if sample.metric != up.metric)
    return Case(
        "silent",
        "old errors are seen for the first time",
        (up, *counted),
        (Fact(3, "silent"), Fact(6, "silent")),
    )


def absent_cases(kit: Kit, slo: Slo) -> tuple[Case, ...]:
    """Return the cases of the alert on an SLI that nobody measures."""
    wait, idle = kit.for_steps, kit.steps(IDLE)
    end = idle + wait + 12

    def up(value: int) -> Sample:
        return Sample(_up(kit), {}, gauge([(end, value)]))

    def measured(*phases: Phase) -> tuple[Sample, ...]:
        return tuple(sample for sample in _series(kit, slo, phases) if sample.metric != _up(kit))

    there = Phase(3, _BUSY, _NONE)
    # The last sample, of step 3, leaves the look-back one step sooner from Prometheus 3 on.
    early, late = 3 + idle, 3 + idle + 1
    absent = ((dict[str, str](), 1.0),)
    facts = [Fact(early - 1, "silent")]
    if early + wait > late:
        facts += [Fact(late, "pending"), Fact(early + wait - 1, "pending")]
    facts += [Fact(late + wait, "firing", absent), Fact(late + wait + 4, "silent")]
    return (
        Case(
            "fires",
            "the metric was never there",
            (up(1),),
            (Fact(idle - 1, "silent"), Fact(idle + wait + 1, "firing", absent)),
        ),
        Case(
            "silent",
            "the metric is there",
            (up(1), *measured(Phase(end, _BUSY, _NONE))),
            (Fact(end, "silent"),),
        ),
        Case(
            "silent",
            "a restart in a quiet night",
            (up(1), *measured(there, Phase(idle - 2, None, None), there)),
            (Fact(idle + 2, "silent"), Fact(idle + 4, "silent")),
        ),
        Case("silent", "the service itself is down", (up(0),), (Fact(end, "silent"),)),
        Case(
            "gone",
            "the metric vanishes and comes back",
            (up(1), *measured(there, Phase(idle + wait + 2, None, None), there)),
            tuple(facts),
        ),
    )


def _whole(share: Decimal) -> Decimal:
    return share.quantize(1 / _BUSY)


def _clean(steps: int) -> Phase:
    return Phase(steps, _BUSY, _NONE)


def _burning(steps: int, share: Decimal) -> Phase:
    return Phase(steps, _BUSY * (1 - share), _BUSY * share)


def _crossing(samples: int, part: Decimal) -> int:
    """Return how many of `samples` must be bad to exceed `part` of them."""
    return int(part * samples) + 1


def _up(kit: Kit) -> str:
    return kit.names.metric(UP.id)


def _series(kit: Kit, slo: Slo, story: Sequence[Phase], instance: str = "one") -> tuple[Sample, ...]:
    """Write a story as the series that the SLI is made of, of an instance that is up throughout."""
    steps = sum(phase.steps for phase in story)
    up = Sample(_up(kit), {"instance": instance}, gauge([(steps, 1)]))
    names, sli = kit.names, slo.sli
    own = {"instance": instance}
    if isinstance(sli, LatencySli):
        bound = str(float(sli.under.seconds))
        return (
            up,
            Sample(names.bucket(sli.signal), {**own, "le": bound}, counter(good(story))),
            Sample(names.count(sli.signal), own, counter(every(story))),
        )
    assert isinstance(sli, RatioSli)  # noqa: S101
    failed = {names.label(sli.total, one.label): _example(one.values[0]) for one in sli.bad}
    fine = {label: _other(value) for label, value in failed.items()}
    metric = names.metric(sli.total)
    return (
        up,
        Sample(metric, {**own, **fine}, counter(good(story))),
        Sample(metric, {**own, **failed}, counter(bad(story))),
    )


def _example(value: str) -> str:
    return f"{value[0]}00" if value[1:] == "xx" else value


def _other(value: str) -> str:
    if value.isdigit():
        return "200" if value != "200" else "204"
    return f"not-{value}"
