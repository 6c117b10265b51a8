"""Recorded series, read as Prometheus reads them: at an instant, or over a range."""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate

from obs.verify.backtest.moments import Grid, Values

#: Milliseconds that an instant looks back: the server's own default.
LOOKBACK = 300_000


def latest(values: Values, on: Grid, grid: Grid, offset: int, *, closed: bool) -> Values:
    """Return what an instant selector yields: the newest evaluation, if it is fresh and had a sample.

    An evaluation that yields nothing ends a recorded series at once: the server marks it as stale.
    `closed` says that the look-back holds its own beginning, as it did before Prometheus 3.
    """
    found: Values = []
    for at in grid:
        position = min((at - offset - on.start) // on.step, on.count - 1)
        age = at - offset - on[position] if position >= 0 else LOOKBACK + 1
        fresh = age <= LOOKBACK if closed else age < LOOKBACK
        found.append(values[position] if fresh else None)
    return found


def over(
    function: str, values: Values, on: Grid, grid: Grid, *, span: int, offset: int, closed: bool
) -> Values:
    """Return what ``function(series[span] offset offset)`` yields. Raises `KeyError` for an unknown one."""
    make = FUNCTIONS[function](values)
    found: Values = []
    for at in grid:
        end = at - offset
        after = max(0, min((end - on.start) // on.step + 1, on.count))
        first = -(-(end - span - on.start) // on.step) if closed else (end - span - on.start) // on.step + 1
        found.append(make(max(0, first), after) if after > max(0, first) else None)
    return found


#: From a slice, [first, after), to a value; None when the slice holds no sample.
_Reader = Callable[[int, int], "float | None"]


def _sum(values: Values) -> _Reader:
    # Events are whole numbers: their running total is exact.
    totals = [0.0, *accumulate(value or 0.0 for value in values)]
    counts = _counts(values)
    return lambda first, after: totals[after] - totals[first] if counts[after] > counts[first] else None


def _count(values: Values) -> _Reader:
    counts = _counts(values)
    return lambda first, after: float(counts[after] - counts[first]) or None


def _present(values: Values) -> _Reader:
    counts = _counts(values)
    return lambda first, after: 1.0 if counts[after] > counts[first] else None


def _avg(values: Values) -> _Reader:
    total, counts = _sum(values), _counts(values)

    def mean(first: int, after: int) -> float | None:
        found = total(first, after)
        return None if found is None else found / (counts[after] - counts[first])

    return mean


def _last(values: Values) -> _Reader:
    newest = list(
        accumulate(
            (position if value is not None else -1 for position, value in enumerate(values)), max, initial=-1
        )
    )

    def last(first: int, after: int) -> float | None:
        return values[newest[after]] if newest[after] >= first else None

    return last


def _extreme(pick: Callable[[list[float]], float]) -> Callable[[Values], _Reader]:
    def make(values: Values) -> _Reader:
        def read(first: int, after: int) -> float | None:
            found = [value for value in values[first:after] if value is not None]
            return pick(found) if found else None

        return read

    return make


def _counts(values: Values) -> list[int]:
    return [0, *accumulate(value is not None for value in values)]


FUNCTIONS: dict[str, Callable[[Values], _Reader]] = {
    "avg_over_time": _avg,
    "count_over_time": _count,
    "last_over_time": _last,
    "max_over_time": _extreme(max),
    "min_over_time": _extreme(min),
    "present_over_time": _present,
    "sum_over_time": _sum,
}
