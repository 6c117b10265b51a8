"""Multi-window, multi-burn-rate alerting: which windows, which factors, which thresholds.

After the Google SRE Workbook, chapter 5: an alert fires when, at the present speed, a given share of
the period's budget is spent within a long window, and a short window confirms that it still goes on.
The factor is exact: share x period / long window.

The shares are made for a month. Taken of a week they would raise a ticket at a fifth of the pace
that the budget allows, taken of a quarter they would overlook three times that pace; so every other
period is watched at the speeds of 30 days.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from obs.errors import SpecError
from obs.generate.model import Duration, Slo

_MONTH = (Duration.parse("28d"), Duration.parse("31d"))
_USUAL = Duration.parse("30d")


@dataclass(frozen=True, slots=True)
class BurnWindow:
    """One pair of windows with the share of a month's budget that may be spent in the long one."""

    long: Duration
    short: Duration
    share: Decimal

    def factor(self, period: Duration) -> Decimal:
        """Return how many times faster than even the budget burns at the threshold."""
        month = period if _MONTH[0] <= period <= _MONTH[1] else _USUAL
        return (self.share * month.milliseconds / self.long.milliseconds).normalize()


def _pair(long: str, short: str, share: str) -> BurnWindow:
    return BurnWindow(Duration.parse(long), Duration.parse(short), Decimal(share))


FAST = (_pair("1h", "5m", "0.02"), _pair("6h", "30m", "0.05"))
SLOW = (_pair("1d", "2h", "0.1"), _pair("3d", "6h", "0.1"))

#: What is recorded every minute, from the events of each minute; shortest first.
SHORT = tuple(sorted({window for pair in FAST for window in (pair.long, pair.short)}))
#: What looks back further, and is made of larger sums.
LONG = tuple(sorted({window for pair in SLOW for window in (pair.long, pair.short)} - set(SHORT)))
#: Every window of the alerts, shortest first.
RECORDED = tuple(sorted({*SHORT, *LONG}))


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
