"""Add floating point numbers without losing anything, whatever the order they come in.

The total of a counter must never fall by as much as its last bit: Prometheus takes any fall for a
restart and counts the whole total once more. Plain additions in another order, as after the death
of a process, differ in just that bit. Here the exact total is rounded once, at its end, by `math.fsum`;
rounding an exact total that grows cannot make it fall. Of the dead all that their sum lacks is kept too.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from contextlib import suppress


def totals(columns: Sequence[Sequence[float]]) -> list[float]:
    """Return the exact total, rounded once, of the first numbers of all columns, of the second ones, ..."""
    try:
        return list(map(math.fsum, zip(*columns, strict=True)))
    except (OverflowError, ValueError):
        return list(map(rounded, zip(*columns, strict=True)))


def rounded(numbers: Sequence[float]) -> float:
    """Return the exact total, rounded once."""
    try:
        return math.fsum(numbers)
    except (OverflowError, ValueError):
        # Beyond the largest number, or of both infinities: there is nothing to be exact about.
        return float(sum(numbers))


def parts(numbers: Iterable[float]) -> list[float]:
    """Return the fewest numbers whose exact sum is that of `numbers`: the rounded one, then what it lacks."""
    left = list(numbers)
    found = [rounded(left)]
    with suppress(OverflowError, ValueError):
        while found[-1] and math.isfinite(found[-1]):
            left.append(-found[-1])
            found.append(math.fsum(left))
    return [part for part in found if part] or [0.0]
