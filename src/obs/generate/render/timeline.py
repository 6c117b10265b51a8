"""Where on the time line of a promtool group a story stands, so that few evaluations prove all of it.

A rule is evaluated at every so many steps of its story. What a story says of an instant in between is
asked of a copy that is told some steps later, in an environment of its own, so that the instant falls
on an evaluation. Every copy ends with its group: an alert that goes on firing after its story has been
told would be filled in for nothing.

Nothing that a story says is bent by that. At an instant that is evaluated, an alert waits or fires as
it would if every step had been, because its wait is a whole number of evaluations. What such a test
cannot see is a wait that is shorter by less than the distance between two evaluations: both end at the
same one, whenever a story begins. Only another distance tells them apart: see `boundary`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from obs.generate.model import Duration, Expectation, Firing, Series, TestCase


def spread(case: TestCase) -> list[TestCase]:
    """Return copies of `case` that each are asked at whole evaluations before their last instant.

    The first keeps the name of its environment. A case that cannot begin later comes back as it is.
    """
    if case.every is None:
        return [case]
    copies: list[list[Expectation]] = []
    for number in range(len(case.expects) - 1, -1, -1):
        fact = case.expects[number]
        earliest = _earliest(case.expects, number)
        for asked in copies:
            at = _on_grid(fact.at, asked[0].at, case.every)
            if at is not None and at >= earliest:
                asked.append(replace(fact, at=at))
                break
        else:
            copies.append([fact])
    return [
        _renamed(replace(case, expects=tuple(reversed(asked))), number)
        for number, asked in enumerate(copies, start=1)
    ]


def length(case: TestCase) -> Duration:
    """Return when the last question of `case` is asked."""
    return max(expectation.at for expectation in case.expects)


def until(case: TestCase, end: Duration) -> TestCase:
    """Return `case` told so late that its last question is asked at `end`; one that cannot wait as it is."""
    late = end.milliseconds - length(case).milliseconds
    if case.every is None or late <= 0:
        return case
    before = f"_x{late // case.step.milliseconds} "
    return replace(
        case,
        series=tuple(Series(series.selector, before + series.values) for series in case.series),
        expects=tuple(
            replace(expectation, at=Duration(expectation.at.milliseconds + late))
            for expectation in case.expects
        ),
    )


def _earliest(facts: Sequence[Expectation], number: int) -> Duration:
    """Return since when a fact holds: an alert that waits or fires does so since it was last seen to."""
    fact = facts[number]
    before = facts[number - 1] if number else fact
    return before.at if fact.state == before.state != "silent" else fact.at


def _on_grid(at: Duration, anchor: Duration, every: Duration) -> Duration | None:
    """Return the last instant up to `at` that is whole evaluations before `anchor`."""
    apart = anchor.milliseconds - at.milliseconds
    if apart < 0:
        return None
    return Duration(anchor.milliseconds - -(-apart // every.milliseconds) * every.milliseconds)


def _renamed(case: TestCase, number: int) -> TestCase:
    if number == 1:
        return case
    name = f"{case.environment}-{number}"
    series = tuple(
        replace(series, selector=series.selector.replace(f'"{case.environment}"', f'"{name}"'))
        for series in case.series
    )
    expects = tuple(
        # Copies are asked for states; what is written in a notification is asked of the case.
        replace(one, firing=tuple(Firing({**sent.labels, "environment": name}, {}) for sent in one.firing))
        for one in case.expects
    )
    return replace(case, series=series, expects=expects, environment=name)
