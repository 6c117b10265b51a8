"""The instants at which something is evaluated, and the runs of instants at which it was there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TypeAlias

#: A series without its metric: (label, value), sorted.
Labels: TypeAlias = tuple[tuple[str, str], ...]
#: (first, last) positions on a grid, both included; ordered, and never touching one another.
Runs: TypeAlias = Sequence[tuple[int, int]]
#: The values of a series on a grid; None where it has no sample.
Values: TypeAlias = list[float | None]
Columns: TypeAlias = dict[Labels, Values]


@dataclass(frozen=True, slots=True)
class Grid:
    """`count` instants, `step` milliseconds apart, from `start` on (milliseconds since the Unix epoch)."""

    start: int
    step: int
    count: int

    @classmethod
    def within(cls, first: int, last: int, step: int) -> Grid:
        """Return the multiples of `step` from the one at or before `first` to the one at or before `last`."""
        start = first // step * step
        return cls(start, step, (last - start) // step + 1)

    def before(self, offset: int) -> Grid:
        """Return as many instants, each earlier by `offset` milliseconds."""
        return Grid(self.start - offset, self.step, self.count)

    def __getitem__(self, position: int) -> int:
        return self.start + position * self.step

    def __iter__(self) -> Iterator[int]:
        return iter(range(self.start, self.start + self.count * self.step, self.step))

    def chunks(self, points: int) -> Iterator[Grid]:
        """Yield grids of at most `points` instants that make up this one."""
        for first in range(0, self.count, points):
            yield Grid(self[first], self.step, min(points, self.count - first))


def labels_of(pairs: Mapping[str, str]) -> Labels:
    """Return the identity of a series: its labels without the metric's name."""
    return tuple(sorted((name, value) for name, value in pairs.items() if name != "__name__" and value))


def runs_of(positions: Iterable[int]) -> list[tuple[int, int]]:
    """Return ascending positions as runs."""
    runs: list[tuple[int, int]] = []
    for position in positions:
        if runs and position <= runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], position)
        else:
            runs.append((position, position))
    return runs


def most_at_once(runs: Iterable[Runs]) -> int:
    """Return the largest number of series that are there at the same position."""
    edges = sorted(edge for one in runs for first, last in one for edge in ((first, 1), (last + 1, -1)))
    return max(accumulate(change for _, change in edges), default=0)
