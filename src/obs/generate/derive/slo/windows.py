"""Multi-window, multi-burn-rate alerting: which windows, which factors, which thresholds.

After the Google SRE Workbook, chapter 5: an alert fires when, at the present speed, a given share of
the period's budget is spent within a long window, and a short window confirms that it still goes on.
The factor is exact: share x period / long window.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from obs.errors import SpecError
from obs.generate.model import Duration, Slo


@dataclass(frozen=True, slots=True)
class BurnWindow:
    """One pair of windows with the share of the period's budget that may be spent in the long one."""

    long: Duration
    short: Duration
    share: Decimal

    def factor(self, period: Duration) -> Decimal:
        """Return how many times faster than even the budget burns at the threshold."""
        return (self.share * period.milliseconds / self.long.milliseconds).normalize()


def _pair(long: str, short: str, share: str) -> BurnWindow:
    return BurnWindow(Duration.parse(long), Duration.parse(short), Decimal(share))


FAST = (_pair("1h", "5m", "0.02"), _pair("6h", "30m", "0.05"))
SLOW = (_pair("1d", "2h", "0.1"), _pair("3d", "6h", "0.1"))

#: Every window that is recorded, shortest first.
RECORDED = tuple(sorted({window for pair in (*FAST, *SLOW) for window in (pair.long, pair.short)}))


def threshold(pair: BurnWindow, slo: Slo) -> Decimal:
    """Return the ratio of bad events at which `pair` fires, exact.

    Raises `SpecError` when no ratio can exceed it, because it would be one or more.
    """
    ratio = (pair.factor(slo.window) * slo.budget).quantize(Decimal("1e-12")).normalize()
    if ratio >= 1:
        least = 100 - 100 / pair.factor(slo.window)
        raise SpecError(
            f"slos.{slo.name}.objective: {slo.objective} leaves a budget of {(slo.budget * 100).normalize():f} %, and burning it "
            f"{pair.factor(slo.window):f} times too fast ({pair.long} window) would take {(ratio * 100).normalize():f} % bad events",
            str(slo.place),
            f"expected an objective above {least:.2f}",
        )
    return ratio
