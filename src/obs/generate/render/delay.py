"""Tests of rules that look at the past: a group with `query_offset` reads, and writes, that long ago.

What an evaluation finds was told so long before it, and the state of an alert is recorded there too. So
every question comes later by the smallest whole number of evaluations that covers the offset, and looks
back by the offset; every sample comes later by what is left between the two. Each evaluation then finds
exactly what it would have found without an offset.

A story of an alert that reads the clock cannot be told later. Its rules are evaluated as often as it
takes to hit every instant of the story: the offset is then a whole number of evaluations, and nothing is
left. What is asked at those instants holds as before where the wait is a whole number of steps.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from math import gcd

from obs.generate.model import Alert, Duration, RuleFile, Series, TestCase

_CLOCK = re.compile(r"\b(?:time|hour|minute|month|year|day_of_(?:week|month|year)|days_in_month)\(\s*\)")
_NUMBER = r"[-+]?(?:(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?)"
_RUN = re.compile(rf"({_NUMBER})(?:(?P<growth>[-+]{_NUMBER.removeprefix('[-+]?')}))?x(\d+)\Z")
_GAP = re.compile(r"_(?:x(\d+))?\Z")
_ONE = re.compile(rf"(?:{_NUMBER}|[-+]?Inf|NaN|stale)\Z")


def evaluations(case: TestCase, alert: Alert, file: RuleFile) -> Duration:
    """Return how far apart the rules of `file` are evaluated where `case` is told."""
    every = case.every or case.step
    offset = file.query_offset
    if offset is None or not (_CLOCK.search(alert.expr) or _is_opaque(case)):
        return every
    return Duration(gcd(every.milliseconds, offset.milliseconds))


def later(case: TestCase, offset: Duration, every: Duration) -> TestCase:
    """Return `case` as rules with this offset, evaluated at every so much, must be asked."""
    late = every * -(-offset.milliseconds // every.milliseconds)
    left = Duration(late.milliseconds - offset.milliseconds)
    expects = tuple(replace(fact, at=fact.at + late) for fact in case.expects)
    if not left:
        return replace(case, expects=expects)
    step = Duration(gcd(case.step.milliseconds, left.milliseconds))
    before = f"_x{left.milliseconds // step.milliseconds} "
    told = finer(case, step)
    series = tuple(Series(one.selector, before + one.values) for one in told.series)
    return replace(told, series=series, expects=expects)


def finer(case: TestCase, step: Duration) -> TestCase:
    """Return `case` with the same samples at the same instants, told in steps that are a whole part of its own."""
    times = case.step.milliseconds // step.milliseconds
    series = tuple(Series(one.selector, _spread(one.values, times)) for one in case.series)
    return replace(case, step=step, series=series)


def _is_opaque(case: TestCase) -> bool:
    """Tell whether `case` has values that only promtool can read: a spec's own test may hold histograms."""
    return not all(
        _RUN.match(part) or _GAP.match(part) or _ONE.match(part)
        for series in case.series
        for part in series.values.split()
    )


def _spread(values: str, times: int) -> str:
    """Return the same samples at the same instants, on a grid so many times as fine."""
    if times == 1:
        return values
    gap = f"_x{times - 1}"
    parts = ((part, _GAP.match(part)) for part in values.split())
    return " ".join(
        text
        for part, missing in parts
        for text in ([f"_x{int(missing[1] or 1) * times}"] if missing else _apart(part, gap))
    )


def _apart(part: str, gap: str) -> Iterator[str]:
    run = _RUN.match(part)
    if run is None:
        yield from (part, gap)
        return
    first, growth = Decimal(run[1]), Decimal(run["growth"] or 0)
    for number in range(int(run[3]) + 1):
        yield from (f"{first + growth * number:f}", gap)
