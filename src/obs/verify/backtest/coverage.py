"""From when on, and in how much of a period, the server has samples of what an alert reads.

An alert that had nothing to look at was not quiet. For each metric the server is asked, in a thousand
steps at most, whether any sample of the service stood in each step: which status or route it had does
not matter here, for an error that never happened is no gap.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from obs.generate.derive.promql.syntax import Selector
from obs.verify.backtest.asking import Answers, Question
from obs.verify.backtest.moments import Grid

_STEPS = 1000
_SHORTEST = 60_000
#: Labels that say of whom a series is, and not of what.
_IDENTITY = frozenset({"service", "environment", "job", "namespace", "cluster"})


@dataclass(frozen=True, slots=True)
class Coverage:
    """What the server has for one alert, as far as a step of the grid can tell; times in milliseconds."""

    #: The period from this instant on was judged with everything that the alert looks back at; None: never.
    full_from: int | None
    #: Share of the period in which there was a sample of anything that it reads.
    share: float
    #: Metrics without any sample, in order.
    unseen: tuple[str, ...]
    #: It reads metrics, and none had a sample in the period.
    blind: bool


def question(selector: Selector, since: int, until: int) -> Question:
    """Return the question when there was a sample of the metric of `selector`."""
    step = max(_SHORTEST, -(-(until - since) // _STEPS // _SHORTEST) * _SHORTEST)
    kept = (
        f'{one.label}{one.operator}"{_escaped(one.value)}"'
        for one in selector.matchers
        if one.label in _IDENTITY
    )
    text = f"group(last_over_time({selector.metric}{{{','.join(kept)}}}[{step // 1000}s]))"
    return Question(text, Grid.within(since, until, step), presence=True)


def questions(sources: Iterable[Selector], since: int, until: int) -> Iterator[Question]:
    """Yield the questions for everything in `sources` that names a metric."""
    for selector in sources:
        if selector.metric:
            yield question(selector, since, until)


def judge(
    sources: Iterable[Selector], answers: Answers, *, reach: int, since: int, begin: int, until: int
) -> Coverage:
    """Return what there was from `begin` on, for an alert that looks back for `reach` milliseconds.

    `since` is the beginning that `questions` was given. Raises `CannotJudge` for a question that the
    server refused.
    """
    named = {one.metric: question(one, since, until) for one in sources if one.metric}
    if not named:
        return Coverage(begin, 1.0, (), blind=False)
    unseen: list[str] = []
    there: set[int] = set()
    grid = next(iter(named.values())).grid
    for metric, asked in named.items():
        runs = [run for found in answers.runs(asked).values() for run in found]
        if not runs:
            unseen.append(metric)
        there.update(position for first, last in runs for position in range(first, last + 1))
    if not there:
        return Coverage(None, 0.0, tuple(sorted(unseen)), blind=True)
    inside = [position for position in range(grid.count) if grid[position] > begin]
    seen = sum(position in there for position in inside)
    # A sample in the first two steps may be as old as the question, or older.
    first = grid[min(there)] if min(there) > 1 else since
    full = max(begin, first + reach) if min(there) > 1 else begin
    return Coverage(
        full if full <= until else None,
        seen / len(inside) if inside else 1.0,
        tuple(sorted(unseen)),
        blind=seen == 0,
    )


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')
