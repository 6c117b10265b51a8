"""Where the wait of an alert ends, told to a minute.

The evaluations of an ordinary story are a whole part of the wait apart. A `for` that is a little longer
fires too late for one of them; one that is a little shorter fires at the same, wherever the story begins.
Here they are a wait less a minute apart: the alert begins to wait at one evaluation and still waits at
the next, where one whose `for` is a minute shorter fires. As two evaluations tell it, such a story costs
next to nothing beside the others, though its distance needs a test file of its own.

A story that tells the time cannot begin later: for it, a distance is sought that falls right by itself.
An alert whose stories cannot be told so is named in its test file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import takewhile
from math import gcd

from obs.generate.model import SAMPLE_SEEN, Alert, Duration, Expectation, RuleFile, TestCase
from obs.generate.render import delay

#: By how much less a wait is told apart from another.
NEAR = Duration.parse("1m")
_SECOND = 1000
#: Steps that a story may be put off, so that it begins to wait at an evaluation.
_LATEST = 120


@dataclass(frozen=True, slots=True)
class _Crossing:
    """What a story says of its alert, in milliseconds: silent, active from then on, firing at last."""

    silent: int
    active: int
    last: int
    fired: Expectation


def cases(file: RuleFile) -> Iterator[tuple[Duration, Alert, TestCase]]:
    """Yield, of each alert of `file` that needs it, a story and how far apart its evaluations are.

    All stories of one distance are told in the same steps, so that they share a group of tests.
    """
    found = [(alert, told) for alert in file.alerts if _is_blurred(alert) and (told := _told(alert, file))]
    for alert, (every, case) in found:
        step = gcd(*(beside.step.milliseconds for _, (apart, beside) in found if apart == every))
        yield every, alert, delay.finer(case, Duration(step))


def comments(file: RuleFile) -> str:
    """Return a comment that names the alerts of `file` whose `for` may be a minute shorter unnoticed."""
    names = [alert.name for alert in file.alerts if _is_blurred(alert) and not _told(alert, file)]
    if not names:
        return ""
    return f"# 'for' is not told to a minute of {', '.join(dict.fromkeys(names))}: its stories have longer steps\n"


def _is_blurred(alert: Alert) -> bool:
    """Tell whether the stories of `alert` are the same of a wait that is a minute shorter."""
    if alert.for_ < NEAR * 2:
        return False
    nearly = alert.for_.milliseconds - NEAR.milliseconds
    for case in alert.tests:
        crossing = _crossing(alert, case)
        if crossing and case.every in {None, case.step}:
            waits = [fact.at.milliseconds for fact in case.expects if fact.state == "pending"]
            if any(at - crossing.active >= nearly for at in waits):
                return False
    return True


def _told(alert: Alert, file: RuleFile) -> tuple[Duration, TestCase] | None:
    """Return how far apart evaluations are, and the first story of `alert` that tells its wait by them."""
    # Rules of an objective record at each evaluation, so evaluations elsewhere are another story.
    if alert.slo:
        return None
    # What the spec's own tests say holds at the instants that they name.
    for case in alert.tests:
        crossing = _crossing(alert, case)
        if crossing and crossing.fired.firing:
            found = _later(alert, case, crossing) if case.every else _as_it_is(alert, case, crossing)
            # What cannot begin later cannot be asked later either, as rules with an offset must be.
            if found and (case.every or not file.query_offset):
                return found
    return None


def _crossing(alert: Alert, case: TestCase) -> _Crossing | None:
    wait = alert.for_.milliseconds
    number = next((at for at, fact in enumerate(case.expects) if fact.state == "firing"), None)
    if not number:
        return None
    before = [fact.at.milliseconds for fact in case.expects[:number] if fact.state == "silent"]
    waits = [fact.at.milliseconds for fact in case.expects[:number] if fact.state == "pending"]
    fired = case.expects[number]
    evaluated = (case.every or case.step).milliseconds
    # An alert that fires has waited for whole evaluations.
    active = min([*waits, fired.at.milliseconds - evaluated * -(-wait // evaluated)])
    last = [fact.at.milliseconds for fact in takewhile(_fires, case.expects[number:])][-1]
    return _Crossing(before[-1], active, last, fired) if before and before[-1] < active else None


def _fires(fact: Expectation) -> bool:
    return fact.state == "firing"


def _later(alert: Alert, case: TestCase, crossing: _Crossing) -> tuple[Duration, TestCase] | None:
    """Return `case` put off until it begins to wait at an evaluation."""
    every = alert.for_.milliseconds - NEAR.milliseconds
    step = case.step.milliseconds
    if every < crossing.active - crossing.silent or (every % step and case.step > SAMPLE_SEEN):
        return None
    late = next((n for n in range(_LATEST) if not (crossing.active + n * step) % every), None)
    if late is None:
        return None
    begin = crossing.active + late * step
    series = case.series
    if late:
        series = tuple(replace(one, values=f"_x{late} {one.values}") for one in series)
    told = replace(case, series=series, every=None if every % step else Duration(every))
    return Duration(every), _asked(told, crossing, begin, begin + every)


def _as_it_is(alert: Alert, case: TestCase, crossing: _Crossing) -> tuple[Duration, TestCase] | None:
    """Return `case` with the widest distance at which it begins to wait at a known evaluation."""
    wait = alert.for_.milliseconds
    if case.step > SAMPLE_SEEN:
        return None
    for every in range(wait - _SECOND, NEAR.milliseconds, -_SECOND):
        begin = (crossing.silent // every + 1) * every
        end = begin + (wait - _SECOND) // every * every
        if begin >= crossing.active and end - begin >= wait - NEAR.milliseconds and end <= crossing.last:
            return Duration(every), _asked(case, crossing, begin, end)
    return None


def _asked(case: TestCase, crossing: _Crossing, *instants: int) -> TestCase:
    """Return `case` with nothing asked of it but that its alert waits at these instants."""
    count = len(crossing.fired.firing)
    waits = tuple(Expectation(Duration(at), "pending", count=count) for at in instants)
    return replace(case, expects=waits)
