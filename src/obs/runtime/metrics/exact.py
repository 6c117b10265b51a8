"""Add floating point numbers without losing anything, whatever the order they come in.

The total of a counter must never fall by as much as its last bit: Prometheus takes any fall for a
restart and counts the whole total once more. Plain additions in another order, as after the death
of a process, differ in just that bit. Here what an addition rounds off is kept beside the sum
(Knuth, The Art of Computer Programming, volume 2, section 4.2.2, theorem B), and the exact total is
rounded once, at its end, by `math.fsum`; rounding an exact total that grows cannot make it fall.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from contextlib import suppress


def lost(first: float, second: float, total: float) -> float:
    """Return what `total`, the rounded `first + second`, lacks; 0.0 where it is not finite."""
    part = total - first
    rest = (first - (total - part)) + (second - part)
    return rest if math.isfinite(rest) else 0.0


def parts(numbers: Iterable[float]) -> list[float]:
    """Return the fewest numbers whose exact sum is that of `numbers`: the rounded one, then what it lacks."""
    left = list(numbers)
    found: list[float] = []
    # Beyond the largest number there is nothing to be exact about.
    with suppress(OverflowError):
        while all(map(math.isfinite, left)) and (total := math.fsum(left)):
            found.append(total)
            left.append(-total)
    return found or [sum(left)]
