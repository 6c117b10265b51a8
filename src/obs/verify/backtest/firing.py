"""When an alert would have fired: pending, firing and resolved, as the rule engine of Prometheus does it.

One label set at a time. At each evaluation where the expression yields it, an alert that is not active
becomes pending; it fires at the first evaluation at which it has been active for `for`, the first one
included. At an evaluation that does not yield it, a pending alert is forgotten, and a firing one ends:
at once, or once `keep_firing_for` has passed since the first evaluation that did not yield it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from obs.verify.backtest.moments import Grid, Labels, Runs


@dataclass(frozen=True, slots=True)
class Firing:
    """One alert from its first firing evaluation to the one that resolves it, in milliseconds."""

    labels: Labels
    start: int
    end: int
    #: It was still firing when the period ended; `end` is the end of the period.
    goes_on: bool = False
    #: It was firing already when the period began; `start` is the beginning of the period.
    came_in: bool = False

    @property
    def duration(self) -> int:
        """How long it fired, in milliseconds."""
        return self.end - self.start


def spans(runs: Runs, grid: Grid, hold: int, keep: int) -> Iterator[tuple[int, int]]:
    """Yield (first firing position, resolving position) of each firing.

    `hold` and `keep` are `for` and `keep_firing_for` in milliseconds. A resolving position of
    ``grid.count`` is a firing that goes on.
    """
    waits, lasts = -(-hold // grid.step), -(-keep // grid.step)
    since: int | None = None
    resolved = 0
    for first, last in runs:
        # The expression that is true again at the very evaluation that would resolve it keeps it firing.
        if since is not None and first > resolved:
            yield since, resolved
            since = None
        if since is None and first + waits <= last:
            since = first + waits
        resolved = last + 1 + lasts
    if since is not None:
        yield since, min(resolved, grid.count)


def firings(
    labels: Labels, runs: Runs, grid: Grid, *, hold: int, keep: int, begin: int, end: int
) -> Iterator[Firing]:
    """Yield what fired from `begin` to `end`, cut to that period; `grid` may begin before it."""
    for first, resolved in spans(runs, grid, hold, keep):
        start = grid[first]
        goes_on = resolved >= grid.count
        stop = end if goes_on else grid[resolved]
        if stop > begin:
            yield Firing(labels, max(start, begin), stop, goes_on, came_in=start < begin)
