"""What the rules of an SLO record, against the raw events: a simulation by brute force, and tables worked out by hand.

In the simulation every function does what one rule does, at the instants at which Prometheus would:
scrapes and each group of rules have a rhythm and an offset of their own. That the rules are the ones
simulated is for `test_rules.py` and for a real Prometheus (tests/engines/test_slo_budget.py) to say.
"""

from __future__ import annotations

import bisect
import random
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

SCRAPE, MINUTE, SPAN = 15, 60, 240
DAY = 86_400
#: How far Prometheus looks back for a sample, and the rules for the one before.
LOOK_BACK, MEMORY = 300, 1800


@dataclass(frozen=True)
class Counter:
    """One counter of one instance: it lives from `born` until `ends`, and counts at these times."""

    born: float
    ends: float
    events: tuple[float, ...]

    def seen(self, at: float, memory: float) -> int | None:
        """Return the newest sample in (at - memory, at], or None; a series that ended is stale at once."""
        scrape = at // SCRAPE * SCRAPE
        if memory <= LOOK_BACK and scrape >= self.ends:
            return None
        while scrape >= self.ends:
            scrape -= SCRAPE
        if scrape < self.born or scrape <= at - memory:
            return None
        return bisect.bisect_right(self.events, scrape)

    def arrivals(self, at: float, known_since: float) -> int:
        """Return what the rule counts for the minute that ends at `at`."""
        now = self.seen(at, LOOK_BACK)
        if now is None:
            return 0
        before = self.seen(at - MINUTE, MEMORY)
        if before is not None and now >= before:
            return now - before
        return now if known_since <= (at - 2 * MINUTE) // SCRAPE * SCRAPE else 0


@dataclass(frozen=True)
class Rhythm:
    """When a group is evaluated: every `interval` seconds, `offset` after the full one."""

    interval: int
    offset: float

    def instants(self, after: float, until: float) -> list[float]:
        """Return the instants in (after, until]."""
        first = (after - self.offset) // self.interval * self.interval + self.offset
        found = []
        while first <= until:
            if first > after:
                found.append(first)
            first += self.interval
        return found


def minutes(counters: Sequence[Counter], rhythm: Rhythm, start: float, end: float) -> list[tuple[float, int]]:
    """Record the events of each minute; the service is scraped from `start` on."""
    return [
        (at, sum(counter.arrivals(at, start) for counter in counters)) for at in rhythm.instants(start, end)
    ]


def sums(
    samples: Sequence[tuple[float, int]], window: float, instants: Sequence[float]
) -> list[tuple[float, int]]:
    """Record ``sum_over_time(...[window])`` at each instant; ranges are left-open."""
    times = [at for at, _ in samples]
    total = [0]
    for _, value in samples:
        total.append(total[-1] + value)
    return [
        (at, total[bisect.bisect_right(times, at)] - total[bisect.bisect_right(times, at - window)])
        for at in instants
    ]


def happened(counters: Sequence[Counter], after: float, until: float) -> int:
    """Return how many events there were in (after, until]: the truth."""
    return sum(
        bisect.bisect_right(counter.events, until) - bisect.bisect_right(counter.events, after)
        for counter in counters
    )


BUDGET = 0.001
#: How long an instance does nothing before it ends: its last scrape must have seen all of it, and so must a rule
#: have that is evaluated once a minute, before Prometheus forgets the instance.
DRAINED = MINUTE + SCRAPE
#: What happened so close to an end of the window may count or not: a scrape and a minute late.
EDGE = 2 * MINUTE


def _service(
    seed: int, days: int, good: int, bad: int, *, bursts: bool, until: float
) -> tuple[list[Counter], list[Counter]]:
    """Write three instances, one after another restarted; return the counters of good and of bad events."""
    dice = random.Random(seed)
    found: tuple[list[Counter], list[Counter]] = ([], [])
    for number in range(3):
        restart = dice.uniform(0.2, 0.8) * until
        for born, ends in ((60.0 + number, restart), (restart + dice.uniform(1, 600), until + DAY)):
            for counters, count in zip(found, (good, bad), strict=True):
                share = count // 6
                lively = (born, min(ends - DRAINED, until))
                if bursts:
                    centres = [dice.uniform(*lively) for _ in range(3)]
                    times = [min(lively[1], dice.choice(centres) + dice.uniform(0, 40)) for _ in range(share)]
                else:
                    times = [dice.uniform(*lively) for _ in range(share)]
                counters.append(Counter(born, ends, tuple(sorted(times))))
    return found


def _apart(counters: Sequence[Counter], edges: Sequence[float]) -> list[Counter]:
    """Take away what happened close to an edge."""
    return [
        Counter(
            one.born, one.ends, tuple(at for at in one.events if all(abs(at - edge) > EDGE for edge in edges))
        )
        for one in counters
    ]


def _period(
    counters: Sequence[Counter], days: int, offsets: tuple[float, float], end: float
) -> tuple[float, int]:
    """Record minutes, spans and the period; return the last instant and the sum over the period there."""
    minute, span = Rhythm(MINUTE, offsets[0]), Rhythm(SPAN, offsets[1])
    recorded = minutes(counters, minute, 0.0, end)
    spans = sums(recorded, SPAN, span.instants(0, end))
    at = spans[-1][0]
    return at, sums(spans, days * DAY, [at])[0][1]


#: In sixteenths of a second, which add up exactly, as the whole milliseconds of Prometheus do: where a period
#: ends is where one begins, not a rounding error before it.
OFFSETS = st.tuples(
    st.integers(0, 60 * 16 - 1).map(lambda parts: parts / 16),
    st.integers(0, 240 * 16 - 1).map(lambda parts: parts / 16),
)


@settings(max_examples=8)
@given(st.integers(0, 10**6), OFFSETS)
# A burst at the very end of an instance.
@example(1061, (30.0, 3.0))
@example(1138, (0.0, 3.0))
def test_every_event_counts_exactly_once_in_seven_days(seed: int, offsets: tuple[float, float]) -> None:
    end = 8 * DAY + 1234.5
    edges = (end - 7 * DAY, end - 7 * DAY - SPAN, end - SPAN, end)
    good, bad = (
        _apart(each, edges) for each in _service(seed, 7, 30_000, 3_000, bursts=True, until=end - 600)
    )

    for counters in (good, bad):
        at, recorded = _period(counters, 7, offsets, end)
        assert recorded == happened(counters, at - 7 * DAY, at)


@settings(max_examples=5)
@given(st.integers(0, 10**6), OFFSETS, st.sampled_from([7, 30]))
def test_ratio_and_budget_are_within_one_percent_from_a_thousand_bad_events_on(
    seed: int, offsets: tuple[float, float], days: int
) -> None:
    end = (days + 1) * DAY + 77.7
    good, bad = _service(seed, days, 60_000, 1_600, bursts=False, until=end)

    at, seen_bad = _period(bad, days, offsets, end)
    _, seen_good = _period(good, days, offsets, end)
    true_bad, true_good = (happened(each, at - days * DAY, at) for each in (bad, good))

    assume(true_bad >= 1_000)
    ratio, truth = seen_bad / (seen_bad + seen_good), true_bad / (true_bad + true_good)
    assert ratio == pytest.approx(truth, rel=0.01)
    assert 1 - ratio / BUDGET == pytest.approx(1 - truth / BUDGET, rel=0.011)


@settings(max_examples=8)
@given(st.integers(0, 10**6), st.floats(0, 59.9), st.sampled_from([3600, 6 * 3600]))
def test_burn_rates_are_within_one_percent_from_a_thousand_bad_events_on(
    seed: int, offset: float, window: int
) -> None:
    end = 8 * 3600.0
    good, bad = _service(seed, 1, 100_000, 12_000, bursts=False, until=end)
    instant = Rhythm(MINUTE, offset).instants(0, end)[-1]

    def recorded(counters: Sequence[Counter]) -> int:
        return sums(minutes(counters, Rhythm(MINUTE, offset), 0.0, end), window, [instant])[0][1]

    true_bad, true_good = (happened(each, instant - window, instant) for each in (bad, good))
    assume(true_bad >= 1_000)
    seen_bad, seen_good = recorded(bad), recorded(good)
    assert seen_bad / (seen_bad + seen_good) == pytest.approx(true_bad / (true_bad + true_good), rel=0.01)


def test_a_quiet_bad_hour_does_not_outweigh_busy_clean_ones() -> None:
    """Nine hours of 1,000 requests a minute, then an hour with one a minute of which half fail."""
    good = Counter(0, 10**9, tuple(60 * minute + 30 + n / 1000 for minute in range(540) for n in range(1000)))
    quiet = Counter(0, 10**9, tuple(60.0 * minute + 30 for minute in range(540, 600, 2)))
    bad = Counter(0, 10**9, tuple(60.0 * minute + 30 for minute in range(541, 600, 2)))
    end, offsets = 36_000.0 + SPAN, (0.0, 0.0)

    _, seen_bad = _period([bad], 7, offsets, end)
    _, seen_good = _period([good, quiet], 7, offsets, end)

    # 30 of 540,060: an average of the ratios of ten hours would say 5 %.
    assert (seen_bad, seen_bad + seen_good) == (30, 540_060)
    assert Decimal(seen_bad) / (seen_bad + seen_good) == pytest.approx(
        Decimal("0.0000555"), rel=Decimal("0.001")
    )


def test_an_outage_is_spent_from_the_budget_within_minutes() -> None:
    """Everything fails for ten minutes; five minutes later all of it has been taken from the budget."""
    begin = 7 * DAY
    bad = Counter(0, 10**9, tuple(begin + second / 2 for second in range(1200)))
    end = begin + 900.0

    _, seen = _period([bad], 7, (7.0, 113.0), end)

    assert seen == 1200
