"""The metrics back end: series under a cap, with exemplars of the current span."""

from __future__ import annotations

import itertools
import math
import threading
from collections.abc import Callable, Mapping
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client import Counter as PromCounter
from prometheus_client import Gauge as PromGauge
from prometheus_client import Histogram as PromHistogram

from obs.catalogue import Counter, Dialect, Histogram, Signal
from obs.errors import ConfigError
from obs.runtime import guard, live, tally
from obs.runtime.metrics.own import Own
from obs.runtime.settings import Settings

#: Value that replaces those of unbounded labels once a metric has reached its cap.
OVERFLOW = "overflow"
#: Closed combinations of labels that are created at once; more of them would only bloat a scrape.
_PREPARED = 64


def _check(amount: float) -> None:
    """Refuse what would make a sum useless for the rest of the process's life."""
    if not math.isfinite(amount):
        raise ValueError(f"got {amount!r}, expected a finite number")


class _CounterSeries:
    __slots__ = ("_child",)

    def __init__(self, child: PromCounter) -> None:
        self._child = child

    def inc(self, amount: float = 1) -> None:
        _check(amount)
        trace_id, span_id, sampled = live.span_ids()
        if sampled:
            self._child.inc(amount, {"trace_id": trace_id, "span_id": span_id})
        else:
            self._child.inc(amount)


class _HistogramSeries:
    __slots__ = ("_child",)

    def __init__(self, child: PromHistogram) -> None:
        self._child = child

    def observe(self, value: float) -> None:
        _check(value)
        trace_id, span_id, sampled = live.span_ids()
        if sampled:
            self._child.observe(value, {"trace_id": trace_id, "span_id": span_id})
        else:
            self._child.observe(value)


class _GaugeSeries:
    __slots__ = ("_child", "dec", "inc", "set")

    def __init__(self, child: PromGauge) -> None:
        self._child = child
        self.inc, self.dec, self.set = child.inc, child.dec, child.set

    def track(self, read: Callable[[], float]) -> None:
        def guarded() -> float:
            with guard.contained("metrics"):
                return float(read())
            return math.nan

        self._child.set_function(guarded)


class _Metric:
    """One metric: its series by label values, at most `cap` of them."""

    def __init__(self, signal: Signal, dialect: Dialect, cap: int, registry: CollectorRegistry) -> None:
        self._signal = signal
        self._name = signal.named(dialect)
        self._cap = cap
        self._open = tuple(index for index, label in enumerate(signal.labels) if not label.bounded)
        self._series: dict[tuple[str, ...], Any] = {}
        self._lock = threading.RLock()
        self._make = _maker(signal, dialect, registry)
        self.prepare({})

    def series(self, values: tuple[str, ...]) -> Any:
        found = self._series.get(values)
        return found if found is not None else self._add(values)

    def prepare(self, known: Mapping[int, str]) -> None:
        choices = [
            (known[index],) if index in known else label.values
            for index, label in enumerate(self._signal.labels)
        ]
        if math.prod(len(choice) for choice in choices) <= _PREPARED:
            for values in itertools.product(*choices):
                self.series(values)

    def _add(self, values: tuple[str, ...]) -> Any:
        if self._open and len(self._series) >= self._cap:
            tally.add("overflow", self._name)
            values = tuple(OVERFLOW if index in self._open else value for index, value in enumerate(values))
        with self._lock:
            found = self._series.get(values)
            if found is None:
                found = self._series[values] = self._make(values)
            return found


def _maker(signal: Signal, dialect: Dialect, registry: CollectorRegistry) -> Callable[[tuple[str, ...]], Any]:
    name, names = signal.named(dialect), signal.label_names(dialect)
    help_ = signal.help or signal.id
    wrap: Callable[[Any], Any]
    if isinstance(signal, Counter):
        parent: Any = PromCounter(name, help_, names, registry=registry)
        wrap = _CounterSeries
    elif isinstance(signal, Histogram):
        parent = PromHistogram(name, help_, names, registry=registry, buckets=signal.buckets)
        wrap = _HistogramSeries
    else:
        parent = PromGauge(name, help_, names, registry=registry)
        wrap = _GaugeSeries
    return lambda values: wrap(parent.labels(*values) if names else parent)


class Metrics:
    """Every metric of one run of obs, in a registry of its own."""

    def __init__(self, settings: Settings) -> None:
        self._dialect: Dialect = settings.dialect
        self._cap = settings.series_cap
        self.registry = CollectorRegistry()
        self.registry.register(Own(settings))

    def metric(self, signal: Signal) -> _Metric | None:
        """Return the metric of `signal`; None when another signal's series already count it.

        Raises `ConfigError` when its name is taken by a signal of obs itself.
        """
        if isinstance(signal, Counter) and signal.counted_by and not self._has_own_series(signal):
            return None
        try:
            return _Metric(signal, self._dialect, self._cap, self.registry)
        except ValueError as error:
            raise ConfigError(f"signal {signal.id!r} cannot be kept: {error}") from None

    def _has_own_series(self, signal: Counter) -> bool:
        return self._dialect == "classic" and bool(signal.classic)
