"""Stories for the alerts of an SLO: fast burns on a grid of ten minutes, slow ones on a coarser one.

Two kinds of them, because every step costs an evaluation of every rule. Short stories told with the
series that the SLI reads show that events become minutes. Long ones, told with those minutes, show
that minutes become alerts.

The figures follow from the burn rates of the SRE Workbook by hand. A window of n steps holds n
samples from Prometheus 3 on and n + 1 before (ranges became left-open), so every fact keeps clear of
the steps between the two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Literal

from obs.generate.derive.drafts import Case, Fact, Kit, Sample
from obs.generate.derive.samples import Phase
from obs.generate.derive.slo.events import custom_window
from obs.generate.derive.slo.quiet import quiet_steps
from obs.generate.derive.slo.scenes import Scene, groups
from obs.generate.derive.slo.windows import FAST, SLOW, threshold
from obs.generate.model import CustomSli, Duration, FreshnessSli, Slo

#: Events of a step: many against every floor, and every share of them is a whole number.
BUSY = Decimal(1_000_000_000)
NONE = Decimal(0)
#: Steps of an hour on the grid of the fast alert, and of a day on that of the slow one.
HOUR, DAY = 6, 12
#: How far above its line a pair is driven, so that it crosses within its long window.
_SHARP, _BROAD, _BROADER = Decimal("1.6"), Decimal("1.9"), Decimal("2.5")
_JUST_ABOVE, _JUST_BELOW = Decimal("1.02"), Decimal("0.98")
#: Steps of the stories that show what becomes of events.
_BRIEF = 3

_Shown = tuple[tuple[dict[str, str], float], ...]


def fast_cases(kit: Kit, slo: Slo) -> tuple[Case, ...]:
    """Return the cases of ErrorBudgetBurnFast."""
    steep = threshold(FAST[0], slo)
    sharp = whole(min(steep * _SHARP, Decimal(1)))
    gentle = whole(threshold(FAST[1], slo) * _BROAD)
    if isinstance(slo.sli, FreshnessSli):
        told = _freshness(kit, slo)
    else:
        # An author's own `increase` needs several samples in its range.
        quarter = Duration(custom_window(kit.service.scrape_interval).milliseconds // 4)
        told = _told_with_events(replace(kit, step=quarter) if isinstance(slo.sli, CustomSli) else kit, slo)
    return (
        *told,
        *_floor_cases(kit, slo, 6 * HOUR + 2),
        _hour_pair(kit, slo, sharp, steep),
        _six_hour_pair(kit, slo, gentle),
    )


def slow_cases(kit: Kit, slo: Slo) -> tuple[Case, ...]:
    """Return the cases of ErrorBudgetBurnSlow."""
    steep, gentle = (threshold(pair, slo) for pair in SLOW)
    above, below = whole(_above(steep)), whole(gentle * _JUST_BELOW)
    return (
        _steady(kit, slo, "fires", "just above the line", share=above, at=2),
        _steady(kit, slo, "silent", "just below the line", share=below, at=3),
        *_floor_cases(kit, slo, 3 * DAY + 2),
        _day_pair(kit, slo, whole(steep * _SHARP)),
        _three_day_pair(kit, slo, whole(gentle * _BROADER)),
    )


def whole(share: Decimal) -> Decimal:
    """Round a share so that it is a whole number of the events of a step."""
    return share.quantize(1 / BUSY)


def clean(steps: int) -> Phase:
    """Return steps without bad events."""
    return Phase(steps, BUSY, NONE)


def burning(steps: int, share: Decimal) -> Phase:
    """Return steps of which a share of the events is bad."""
    return Phase(steps, BUSY * (1 - share), BUSY * share)


def shown(kit: Kit, slo: Slo, value: Decimal | int) -> _Shown:
    """Return what an alert on one budget shows."""
    return ((groups(kit, slo), float(value)),)


def _above(line: Decimal) -> Decimal:
    return min(line * _JUST_ABOVE, (line + 1) / 2)


def _steady(
    kit: Kit, slo: Slo, kind: Literal["fires", "silent"], says: str, *, share: Decimal, at: int
) -> Case:
    state: Literal["firing", "silent"] = "firing" if kind == "fires" else "silent"
    return Case(
        kind, says, _minutes(kit, slo, [burning(at, share)]), (Fact(at, state, shown(kit, slo, share)),)
    )


def _told_with_events(kit: Kit, slo: Slo) -> tuple[Case, ...]:
    """Two instances share the work and its failures, so that only their sum is right."""
    scene, start = Scene.of(kit, slo), quiet_steps(kit)
    line = threshold(FAST[1], slo)
    above, below = whole(_above(line)), whole(line * _JUST_BELOW)

    def shared(share: Decimal) -> tuple[Sample, ...]:
        def story(good: Decimal, bad: Decimal) -> list[Phase]:
            return [Phase(start, None, None), Phase(1, NONE, NONE), Phase(_BRIEF, good, bad)]

        half = story(BUSY * (1 - share) / 2, BUSY * share / 2)
        return (scene.up(start + _BRIEF + 1), *scene.events(half, "one"), *scene.events(half, "two"))

    at = start + _BRIEF
    cases = (
        Case("fires", "just above the line", shared(above), (Fact(at, "firing", shown(kit, slo, above)),), step=kit.step),
        Case("silent", "just below the line", shared(below), (Fact(at, "silent"),), step=kit.step),
    )  # fmt: skip
    if isinstance(slo.sli, CustomSli):
        return cases
    excluded = (_excluded(kit, slo, start),) if slo.exclusions else ()
    return (*cases, _born(kit, slo, start), _lifetime(kit, slo, start), *excluded)


def _excluded(kit: Kit, slo: Slo, start: int) -> Case:
    """All that does not count fails; the little that counts is well."""
    story = [Phase(start, None, None), Phase(1, NONE, NONE)]
    samples = (
        Scene.of(kit, slo).up(start + _BRIEF + 1),
        *Scene.of(kit, slo).events([*story, Phase(_BRIEF, Decimal(slo.min_bad_events), NONE)]),
        *(
            sample
            for scene in Scene.of(kit, slo).excluded()
            for sample in scene.events([*story, Phase(_BRIEF, NONE, BUSY)])
        ),
    )
    return Case("silent", "only what does not count fails", samples, (Fact(start + _BRIEF, "silent"),))


def _freshness(kit: Kit, slo: Slo) -> tuple[Case, ...]:
    """Timestamps of a minute past the bound and of one within it, and one whose series is gone."""
    assert isinstance(slo.sli, FreshnessSli)  # noqa: S101 - the caller has asked
    scene, start, step = Scene.of(kit, slo), max(1, quiet_steps(kit)), kit.step.seconds
    minute, under = Decimal(60), slo.sli.under.seconds
    steps = max(_BRIEF, slo.min_bad_events)
    end = start + steps

    def told(oldest: Decimal, *, gone: bool = False) -> tuple[Sample, ...]:
        """Keep the timestamp `oldest` old, or let its series end instead; these are before 1970."""
        first = (start + 1) * step - oldest
        if gone:
            return scene.age([(start, None), (1, first), (steps, None)])
        return scene.age([(start, None), *((1, first + number * step) for number in range(steps))])

    stale = shown(kit, slo, 1)
    return (
        Case("fires", "older than it may be", told(under + minute), (Fact(end, "firing", stale),)),
        Case("silent", "not older than it may be", told(under - minute / 2), (Fact(end, "silent"),)),
        Case("fires", "it was too old when its series ended", told(under + minute, gone=True), (Fact(end, "firing", stale),)),
    )  # fmt: skip


def _minutes(kit: Kit, slo: Slo, story: Sequence[Phase]) -> tuple[Sample, ...]:
    """Write minutes, and for the slow alert what the rules of the fast one record of them."""
    scene = Scene.of(kit, slo)
    own = kit.step.milliseconds * DAY == SLOW[0].long.milliseconds
    return (*scene.minutes(story), scene.ratio(story, SLOW[1].short)) if own else scene.minutes(story)


def _floor_cases(kit: Kit, slo: Slo, longest: int) -> tuple[Case, Case]:
    """A quiet service of which everything fails: below the floor all the time, and above it at the end."""
    floor = Decimal(slo.min_bad_events)
    few, enough = floor * Decimal("0.9") / longest, floor * Decimal("1.1") / (longest - 2)
    too_few, many = (_minutes(kit, slo, [Phase(longest, NONE, each)]) for each in (few, enough))
    return (
        Case("silent", "all bad but too few", too_few, (Fact(longest, "silent"),)),
        Case("fires", "quiet and all bad", many, (Fact(longest, "firing", shown(kit, slo, 1)),)),
    )


def _told(
    kit: Kit,
    slo: Slo,
    says: str,
    story: Sequence[Phase],
    facts: Sequence[tuple[int, bool]],
    *,
    share: Decimal,
) -> Case:
    """Tell a story in minutes; each fact is a step and whether the alert fires there."""
    return Case(
        "for",
        says,
        _minutes(kit, slo, story),
        tuple(
            Fact(at, "firing" if fires else "silent", shown(kit, slo, share)) for at, fires in sorted(facts)
        ),
    )


def _hour_pair(kit: Kit, slo: Slo, share: Decimal, line: Decimal) -> Case:
    """Six clean hours, then a steep burn: the hour crosses its line before the six hours do."""
    early, late = (int(line / share * samples) + 1 for samples in (HOUR, HOUR + 1))
    start, last = 6 * HOUR, late + 1
    story = [clean(start), burning(last, share), clean(4)]
    facts = ((start + early - 1, False), (start + late, True), (start + last + 1, False))
    return _told(kit, slo, "burns steeply for an hour", story, facts, share=share)


def _six_hour_pair(kit: Kit, slo: Slo, share: Decimal) -> Case:
    """Six clean hours, then a burn too gentle for the hour; the half hour sees its end, but not at once."""
    start, last = 6 * HOUR, 24
    story = [clean(start), burning(last, share), clean(6)]
    facts = ((start + 18, False), (start + 20, True), (start + last + 1, True), (start + last + 3, False))
    return _told(kit, slo, "burns gently for hours", story, facts, share=share)


def _day_pair(kit: Kit, slo: Slo, share: Decimal) -> Case:
    """Two busy clean days dilute the three-day window, so that the quiet bad day is seen by the day alone."""
    start, last = 3 * DAY, 11
    story = [Phase(2 * DAY, BUSY * 20, NONE), clean(DAY), burning(last, share), clean(2)]
    facts = ((start + 7, False), (start + 9, True), (start + last + 1, False))
    return _told(kit, slo, "burns for a quiet day", story, facts, share=share)


def _three_day_pair(kit: Kit, slo: Slo, share: Decimal) -> Case:
    """Three clean days, then a burn too gentle for the day; six hours see its end, but not at once."""
    start, last = 3 * DAY, 17
    story = [clean(start), burning(last, share), clean(4)]
    facts = ((start + 14, False), (start + 16, True), (start + last + 1, True), (start + last + 4, False))
    return _told(kit, slo, "burns gently for days", story, facts, share=share)


def _born(kit: Kit, slo: Slo, start: int) -> Case:
    """Instances come up one after another, each born with a few bad events and no more."""
    # Few enough that an hour sees them all; together all but two of them reach the floor.
    pods = min(slo.min_bad_events, 4) + 2
    born = Decimal(-(-slo.min_bad_events // (pods - 2)))
    scene = Scene.of(kit, slo)
    samples: list[Sample] = []
    for number in range(pods):
        story = [
            Phase(start + 2 + number, None, None),
            Phase(1, NONE, born),
            Phase(pods - number, NONE, NONE),
        ]
        samples += [scene.up(start + pods + 3, f"pod-{number}"), *scene.events(story, f"pod-{number}")]
    return Case(
        "born",
        "every instance is born with bad events",
        tuple(samples),
        (Fact(start + pods + 1, "firing", shown(kit, slo, 1)),),
    )


def _lifetime(kit: Kit, slo: Slo, start: int) -> Case:
    """Prometheus starts late: what a counter gathered before is no event of this minute."""
    scene = Scene.of(kit, slo)
    story = [Phase(start + 2, None, None), Phase(1, NONE, BUSY), Phase(_BRIEF, BUSY, NONE)]
    return Case(
        "silent",
        "old errors are seen for the first time",
        (scene.up(_BRIEF + 2, after=start + 1), *scene.events(story)),
        (Fact(start + 3, "silent"), Fact(start + 2 + _BRIEF, "silent")),
    )
