"""Native histograms in promtool's notation, from 2.53 on: buckets are powers of two (schema 0)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal

from obs.generate.derive.samples import Phase
from obs.generate.model import Duration


def native(story: Sequence[Phase], under: Duration) -> str:
    """Write a histogram whose good events took surely less than `under`, and its bad ones surely more.

    Bucket `i` holds what took more than 2^(i-1) and at most 2^i seconds, so neither kind shares the
    bucket that the bound cuts.
    """
    exponent = math.log2(float(under.seconds))
    low, high = math.floor(exponent), math.ceil(exponent) + 1
    parts: list[str] = []
    fine, slow = Decimal(0), Decimal(0)
    for number, phase in enumerate(story):
        if phase.steps <= 0:
            continue
        if phase.good is None and phase.bad is None:
            ended = ["stale"] if parts else ["_"]
            parts += [*ended, f"_x{phase.steps - 1}"] if phase.steps > 1 else ended
            continue
        growth = (phase.good or Decimal(0), phase.bad or Decimal(0))
        count = phase.steps
        if number:
            fine, slow, count = fine + growth[0], slow + growth[1], count - 1
        first, step = _histogram(fine, slow, low, high), _histogram(*growth, low, high)
        parts.append(f"{first}+{step}x{count}" if any(growth) else f"{first}x{count}")
        fine, slow = fine + growth[0] * count, slow + growth[1] * count
    return " ".join(parts)


def _histogram(fine: Decimal, slow: Decimal, low: int, high: int) -> str:
    total = f"{fine + slow:f}"
    buckets = " ".join([f"{fine:f}", *["0"] * (high - low - 1), f"{slow:f}"])
    return f"{{{{schema:0 count:{total} sum:{total} offset:{low} buckets:[{buckets}]}}}}"
