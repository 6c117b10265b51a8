"""The hot path: what one call of a handle does to the cells of its series."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable
from time import monotonic

from obs.runtime import clock, guard, live, tally
from obs.runtime.metrics.family import HEAD, Exemplar, Family
from obs.runtime.metrics.store import Store

_INF = math.inf
#: Seconds between two exemplars of one counter or bucket: a scrape shows only the latest, and a
#: trace that is kept for an exemplar must be one that is worth keeping.
EXEMPLAR_INTERVAL = 1.0
#: Seconds until a series that was touched outside of any sampled span looks for one again.
_LOOK_AGAIN = 0.01
#: Most characters of an exemplar, names and values together (OpenMetrics 1.0, "Exemplars").
_EXEMPLAR_LIMIT = 128
_NAMES = len("trace_id") + len("span_id")


def _exemplify(store: Store, at: int, value: float, now: float) -> float:
    """Keep the current span as exemplar of a cell; return when to look for the next one."""
    trace_id, span_id, sampled = live.span_ids()
    if not sampled or len(trace_id) + len(span_id) + _NAMES > _EXEMPLAR_LIMIT:
        return now + _LOOK_AGAIN
    store.mark(at, Exemplar(trace_id, span_id, float(value), clock.now()))
    live.mark_span()
    return now + EXEMPLAR_INTERVAL


class CounterSeries:
    """One series of a counter."""

    __slots__ = ("_at", "_due", "_store")

    def __init__(self, store: Store, at: int, family: Family) -> None:  # noqa: ARG002 - as its siblings
        self._store, self._at, self._due = store, at, 0.0
        store.set(at + 1, (clock.now(),))

    def inc(self, amount: float = 1) -> None:
        """Add `amount`; raises ValueError when it is negative or not finite."""
        if not 0 <= amount < _INF:
            raise ValueError(f"got {amount!r}, expected a finite number, not negative")
        store = self._store
        with store.lock:
            store.cells[self._at] += amount
        now = monotonic()
        if now >= self._due:
            self._due = _exemplify(store, self._at, amount, now)


class GaugeSeries:
    """One series of a gauge; several processes add theirs up."""

    __slots__ = ("_at", "_read", "_store")

    def __init__(self, store: Store, at: int, family: Family) -> None:  # noqa: ARG002
        self._store, self._at = store, at
        self._read: Callable[[], float] | None = None

    def set(self, value: float) -> None:
        """Set the value; raises TypeError or ValueError when it is no number."""
        store = self._store
        with store.lock:
            store.cells[self._at] = float(value)

    def inc(self, amount: float = 1) -> None:
        """Add `amount`; raises ValueError when it is not finite."""
        if not -_INF < amount < _INF:
            raise ValueError(f"got {amount!r}, expected a finite number")
        store = self._store
        with store.lock:
            store.cells[self._at] += amount

    def dec(self, amount: float = 1) -> None:
        """Subtract `amount`; raises ValueError when it is not finite."""
        self.inc(-amount)

    def track(self, read: Callable[[], float]) -> None:
        """Take the value from `read` at each scrape."""
        self._read = read
        self._store.track()

    def refresh(self) -> None:
        """Take the value from what tracks it, if anything does; NaN when that fails."""
        if self._read is None:
            return
        value = math.nan
        with guard.contained("metrics"):
            value = float(self._read())
        self.set(value)


class DatedGaugeSeries(GaugeSeries):
    """A gauge whose way of adding up must know who has set it at all, and when."""

    __slots__ = ()

    def set(self, value: float) -> None:
        """Set the value; raises TypeError or ValueError when it is no number."""
        super().set(value)
        self._store.set(self._at + 1, (clock.now(),))

    def inc(self, amount: float = 1) -> None:
        """Add `amount`; raises ValueError when it is not finite."""
        super().inc(amount)
        self._store.set(self._at + 1, (clock.now(),))


class HistogramSeries:
    """One series of a histogram."""

    __slots__ = ("_at", "_bounds", "_due", "_store")

    def __init__(self, store: Store, at: int, family: Family) -> None:
        self._store, self._at, self._bounds = store, at, family.bounds
        self._due = [0.0] * len(family.bounds)
        store.set(at + 1, (clock.now(),))

    def observe(self, value: float) -> None:
        """Count `value` in its bucket; raises ValueError when it is not finite."""
        if not -_INF < value < _INF:
            raise ValueError(f"got {value!r}, expected a finite number")
        position = bisect_left(self._bounds, value)
        store, at = self._store, self._at
        bucket = at + HEAD + position
        with store.lock:
            cells = store.cells
            cells[at] += value
            cells[bucket] += 1.0
        now = monotonic()
        if now >= self._due[position]:
            self._due[position] = _exemplify(store, bucket, value, now)


class OverflowSeries:
    """The series of everything beyond the cap, which counts what it takes."""

    __slots__ = ("_metric", "_series")

    def __init__(self, series: CounterSeries | GaugeSeries | HistogramSeries, metric: str) -> None:
        self._series, self._metric = series, metric

    def __getattr__(self, name: str) -> Callable[..., None]:
        method: Callable[..., None] = getattr(self._series, name)

        def counted(*arguments: object) -> None:
            tally.add("overflow", self._metric)
            method(*arguments)

        return counted
