"""What a handle does when it is called: find its series quickly, and keep every error of ours from the host.

Handles know no metrics library. `instruments` gives them a back end; without one each call is a
comparison with None.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import itemgetter
from types import TracebackType
from typing import Any, Generic, Protocol, TypeVar

from obs.catalogue import Counter as CounterSignal
from obs.catalogue import Gauge as GaugeSignal
from obs.catalogue import Histogram as HistogramSignal
from obs.catalogue import Signal
from obs.errors import ConfigError
from obs.runtime import clock, guard


class Series(Protocol):
    """One series of a metric: what a set of label values leads to."""

    def inc(self, amount: float = 1) -> None:
        """Add `amount`."""

    def dec(self, amount: float = 1) -> None:
        """Subtract `amount`."""

    def set(self, value: float) -> None:
        """Set the value."""

    def observe(self, value: float) -> None:
        """Count `value` in its bucket."""

    def track(self, read: Callable[[], float]) -> None:
        """Take the value from `read` at each scrape."""


class Metric(Protocol):
    """One metric of the back end."""

    def find(self, values: tuple[str, ...]) -> Series | None:
        """Return the series with `values` when there is one already."""

    def series(self, values: tuple[str, ...]) -> Series:
        """Return the series with `values` in the order of the signal's labels, within the cap."""

    def prepare(self, known: Mapping[int, str]) -> None:
        """Create the series for every closed combination of the labels not in `known`."""


class Backend(Protocol):
    """Where metrics live; `obs.runtime.metrics.backend` has the real one."""

    def metric(self, signal: Signal) -> Metric | None:
        """Return the metric of `signal`; None when another signal's series already count it."""


class _Inert:
    """The series of every handle that has no back end."""

    def inc(self, amount: float = 1) -> None:
        pass

    dec = set = observe = inc

    def track(self, read: Callable[[], float]) -> None:
        pass


_INERT: Series = _Inert()
S = TypeVar("S", bound=Signal)
B = TypeVar("B", bound="Instrument[Any]")
#: Sets of labels that one handle prepares: their values come from the host, which may invent some for ever.
_MOST_PREPARED = 1_000


class Instrument(Generic[S]):
    """What the three kinds have in common."""

    def __init__(self, signal: S) -> None:
        self.signal = signal
        names = signal.label_names("otel")
        self._positions = {name: position for position, name in enumerate(names)}
        self._width = len(names)
        #: Takes the values out of a call's labels: one value, or a tuple of them in declared order.
        self._pick: Callable[[Mapping[str, object]], object] = itemgetter(*names) if names else _nothing
        #: What `_pick` took -> series, for values that are text and have one of their own.
        self._quick: dict[object, Series] = {}
        self._metric: Metric | None = None
        self._prepared: dict[tuple[tuple[int, str], ...], None] = {}

    def attach(self, backend: Backend | None) -> None:
        """Bind to `backend`, or become inert without one."""
        metric = backend.metric(self.signal) if backend is not None else None
        if metric is not None:
            for known in self._prepared:
                metric.prepare(dict(known))
        self._metric = metric
        self._quick = {}

    def series(self, values: tuple[str, ...]) -> Series:
        """Return the series with `values` in declared order; while inert, one that does nothing."""
        metric = self._metric
        return metric.series(values) if metric is not None else _INERT

    def prepare(self, /, **labels: str) -> None:
        """Create at zero the series that are possible under `labels`, so that a first event counts."""
        with guard.contained("metrics"):
            known = tuple((self._positions[name], value) for name, value in labels.items())
            if known in self._prepared or len(self._prepared) >= _MOST_PREPARED:
                return
            self._prepared[known] = None
            if self._metric is not None:
                self._metric.prepare(dict(known))

    def _find(self, labels: Mapping[str, object]) -> Series:
        """Return the series with `labels`; raises when they are not those of the signal."""
        metric, quick = self._metric, self._quick
        if metric is None:
            return _INERT
        if len(labels) != self._width or any(name not in self._positions for name in labels):
            expected = ", ".join(self._positions) or "no labels"
            got = ", ".join(labels) or "no labels"
            raise ConfigError(f"signal {self.signal.id!r}: got {got}, expected {expected}")
        given = tuple(labels[name] for name in self._positions)
        values = tuple(_text(value) for value in given)
        series = metric.series(values)
        # Nothing else may equal a remembered key: 1 and True would, and their texts differ.
        if metric.find(values) is series and all(type(value) is str for value in given):
            quick[self._pick(labels)] = series
        return series


def _nothing(labels: Mapping[str, object]) -> object:  # noqa: ARG001 - stands in for an itemgetter
    return ()


def _text(value: object) -> str:
    # An enumeration that is text counts as its value, as it does where it is compared.
    return str.__str__(value) if isinstance(value, str) else str(value)


class _Bound(Generic[B]):
    """A handle with its labels already given: its series is looked up once a run of obs."""

    __slots__ = ("_handle", "_labels", "_metric", "_series")

    def __init__(self, handle: B, labels: Mapping[str, object]) -> None:
        self._handle = handle
        self._labels = dict(labels)
        self._metric: Metric | None = None
        self._series: Series = _INERT

    def _look_up(self) -> Series:
        handle = self._handle
        # The series first: another thread that sees the metric must not use the one before it.
        self._series = _INERT if handle._metric is None else handle._find(self._labels)  # noqa: SLF001
        self._metric = handle._metric  # noqa: SLF001
        return self._series


class BoundCounter(_Bound["Counter"]):
    """A counter with its labels already given."""

    __slots__ = ()

    def inc(self, amount: float = 1, /) -> None:
        """Add `amount`, which must not be negative."""
        try:
            if self._metric is self._handle._metric:  # noqa: SLF001 - one unit with its handle
                self._series.inc(amount)
            else:
                self._look_up().inc(amount)
        except Exception as error:
            guard.report("metrics", error)


class Counter(Instrument[CounterSignal]):
    """A number that only grows."""

    def inc(self, amount: float = 1, /, **labels: object) -> None:
        """Add `amount`, which must not be negative, to the series with `labels`."""
        try:
            try:
                series = self._quick[self._pick(labels)]
            except (KeyError, TypeError):
                series = self._find(labels)
            else:
                if len(labels) != self._width:
                    series = self._find(labels)
            series.inc(amount)
        except Exception as error:
            guard.report("metrics", error)

    def bind(self, /, **labels: object) -> BoundCounter:
        """Return this counter with `labels` given once."""
        return BoundCounter(self, labels)


class BoundGauge(_Bound["Gauge"]):
    """A gauge with its labels already given."""

    __slots__ = ()

    def set(self, value: float, /) -> None:
        """Set the value."""
        try:
            self._current().set(value)
        except Exception as error:
            guard.report("metrics", error)

    def inc(self, amount: float = 1, /) -> None:
        """Add `amount`."""
        try:
            self._current().inc(amount)
        except Exception as error:
            guard.report("metrics", error)

    def dec(self, amount: float = 1, /) -> None:
        """Subtract `amount`."""
        try:
            self._current().dec(amount)
        except Exception as error:
            guard.report("metrics", error)

    def track(self, read: Callable[[], float], /) -> None:
        """Take the value from `read` at each scrape, from any thread."""
        self._handle.track(read, **self._labels)

    def _current(self) -> Series:
        return self._series if self._metric is self._handle._metric else self._look_up()  # noqa: SLF001


class Gauge(Instrument[GaugeSignal]):
    """A number that goes up and down."""

    def set(self, value: float, /, **labels: object) -> None:
        """Set the series with `labels` to `value`."""
        try:
            self._series_of(labels).set(value)
        except Exception as error:
            guard.report("metrics", error)

    def inc(self, amount: float = 1, /, **labels: object) -> None:
        """Add `amount` to the series with `labels`."""
        try:
            self._series_of(labels).inc(amount)
        except Exception as error:
            guard.report("metrics", error)

    def dec(self, amount: float = 1, /, **labels: object) -> None:
        """Subtract `amount` from the series with `labels`."""
        try:
            self._series_of(labels).dec(amount)
        except Exception as error:
            guard.report("metrics", error)

    def bind(self, /, **labels: object) -> BoundGauge:
        """Return this gauge with `labels` given once."""
        return BoundGauge(self, labels)

    def track(self, read: Callable[[], float], /, **labels: object) -> None:
        """Take the value of the series with `labels` from `read` at each scrape, from any thread."""
        with guard.contained("metrics"):
            self._tracked[tuple(sorted((name, _text(value)) for name, value in labels.items()))] = read
            self._track(read, labels)

    def __init__(self, signal: GaugeSignal) -> None:
        super().__init__(signal)
        self._tracked: dict[tuple[tuple[str, str], ...], Callable[[], float]] = {}

    def attach(self, backend: Backend | None) -> None:
        """Bind to `backend`, tracked values included."""
        super().attach(backend)
        for labels, read in self._tracked.items():
            self._track(read, dict(labels))

    def _track(self, read: Callable[[], float], labels: Mapping[str, object]) -> None:
        with guard.contained("metrics"):
            self._find(labels).track(read)

    def _series_of(self, labels: Mapping[str, object]) -> Series:
        try:
            series = self._quick[self._pick(labels)]
        except (KeyError, TypeError):
            return self._find(labels)
        return series if len(labels) == self._width else self._find(labels)


class Timer:
    """A block whose duration is observed, in seconds, whether it raises or not."""

    def __init__(self, histogram: Histogram, labels: Mapping[str, object]) -> None:
        self._histogram = histogram
        self._labels = labels
        self._start = 0.0

    def __enter__(self) -> Timer:  # noqa: PYI034 - typing.Self needs Python 3.11
        self._start = clock.elapsed()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._histogram.observe(clock.elapsed() - self._start, **self._labels)


class BoundHistogram(_Bound["Histogram"]):
    """A histogram with its labels already given."""

    __slots__ = ()

    def observe(self, value: float, /) -> None:
        """Count `value`."""
        try:
            if self._metric is self._handle._metric:  # noqa: SLF001
                self._series.observe(value)
            else:
                self._look_up().observe(value)
        except Exception as error:
            guard.report("metrics", error)

    def time(self) -> Timer:
        """Return a block whose duration in seconds is observed."""
        return Timer(self._handle, self._labels)


class Histogram(Instrument[HistogramSignal]):
    """A distribution."""

    def observe(self, value: float, /, **labels: object) -> None:
        """Count `value` in the series with `labels`."""
        try:
            try:
                series = self._quick[self._pick(labels)]
            except (KeyError, TypeError):
                series = self._find(labels)
            else:
                if len(labels) != self._width:
                    series = self._find(labels)
            series.observe(value)
        except Exception as error:
            guard.report("metrics", error)

    def bind(self, /, **labels: object) -> BoundHistogram:
        """Return this histogram with `labels` given once."""
        return BoundHistogram(self, labels)

    def time(self, /, **labels: object) -> Timer:
        """Return a block whose duration in seconds is observed."""
        return Timer(self, labels)
