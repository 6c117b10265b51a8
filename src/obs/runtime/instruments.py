"""Handles of metrics: made anywhere, inert until `init()`, bound again whenever it runs.

The handles know no metrics library. `setup` gives them a back end; without one each call is a
comparison with None.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from operator import itemgetter
from types import TracebackType
from typing import Any, Generic, Protocol, TypeVar

from obs.catalogue import Counter as CounterSignal
from obs.catalogue import Gauge as GaugeSignal
from obs.catalogue import Histogram as HistogramSignal
from obs.catalogue import Label, Registry, Signal, bundled
from obs.catalogue.naming import UNIT_SUFFIX, prometheus_name
from obs.catalogue.signal import SECONDS_BUCKETS, Across
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
H = TypeVar("H", "Counter", "Gauge", "Histogram")
B = TypeVar("B", bound="Instrument[Any]")
#: Sets of labels that one handle prepares: their values come from the host, which may invent some for ever.
_MOST_PREPARED = 1_000
_backend: Backend | None = None
_registry: Registry = bundled()
_handles: dict[str, Counter | Gauge | Histogram] = {}


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
        self.inc(-amount)

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
        self.inc(-amount, **labels)

    def bind(self, /, **labels: object) -> BoundGauge:
        """Return this gauge with `labels` given once."""
        return BoundGauge(self, labels)

    def track(self, read: Callable[[], float], /, **labels: object) -> None:
        """Take the value of the series with `labels` from `read` at each scrape, from any thread."""
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


def attach_all(backend: Backend | None) -> None:
    """Bind every handle to `backend`; None makes them inert."""
    global _backend
    _backend = backend
    for handle in list(_handles.values()):
        handle.attach(backend)


def counter(
    signal: str | CounterSignal,
    help: str = "",  # noqa: A002 - Prometheus's own word for it
    *,
    labels: Sequence[str | Label] = (),
    unit: str = "",
) -> Counter:
    """Return the counter of `signal`: a catalogue signal, or an id such as ``basket.abandoned``.

    Labels given as text count as unbounded: beyond the series cap their values become
    ``overflow``. Raises `ConfigError` for a name that cannot be stored or means something else.
    """
    if isinstance(signal, str):
        signal = _named(CounterSignal(signal, "", help, unit or "1", _labels(labels)))
    return _known(Counter(_expect(signal, CounterSignal)))


def gauge(
    signal: str | GaugeSignal,
    help: str = "",  # noqa: A002
    *,
    labels: Sequence[str | Label] = (),
    unit: str = "",
    across: Across = "sum",
) -> Gauge:
    """Return the gauge of `signal`; `across` says how values of several workers become one.

    Raises `ConfigError` for a name that cannot be stored or means something else.
    """
    if isinstance(signal, str):
        # A gauge counts things unless told otherwise; unit 1 would name it a ratio.
        signal = _named(GaugeSignal(signal, "", help, unit or "{item}", _labels(labels), across=across))
    return _known(Gauge(_expect(signal, GaugeSignal)))


def histogram(
    signal: str | HistogramSignal,
    help: str = "",  # noqa: A002
    *,
    labels: Sequence[str | Label] = (),
    unit: str = "s",
    buckets: Sequence[float] | None = None,
) -> Histogram:
    """Return the histogram of `signal`; `buckets` are finite upper bounds in `unit`.

    Raises `ConfigError` for a name or bounds that cannot be stored.
    """
    if isinstance(signal, str):
        bounds = SECONDS_BUCKETS if buckets is None else _bounds(buckets)
        signal = _named(HistogramSignal(signal, "", help, unit, _labels(labels), buckets=bounds))
    return _known(Histogram(_expect(signal, HistogramSignal)))


def _labels(labels: object) -> tuple[Label, ...]:
    if isinstance(labels, str):
        raise ConfigError(
            f"labels: got {labels!r}, expected a sequence of names", hint=f"labels=({labels!r},)"
        )
    if not isinstance(labels, Iterable):
        raise ConfigError(f"labels: got {labels!r}, expected a sequence of names")
    return tuple(_label(label) for label in labels)


def _label(label: object) -> Label:
    if isinstance(label, str):
        return Label(label, bounded=False)
    if not isinstance(label, Label):
        raise ConfigError(f"labels: got {label!r}, expected a name or an obs.catalogue.Label")
    return label


def _bounds(buckets: Sequence[float]) -> tuple[float, ...]:
    try:
        return tuple(float(bound) for bound in buckets)
    except (TypeError, ValueError):
        raise ConfigError(f"buckets: got {buckets!r}, expected a sequence of numbers") from None


def _named(signal: S) -> S:
    """Give `signal` its metric name; the unit decides it, so that the unit must be one we can write."""
    unit = str(signal.unit)
    if unit != "1" and unit not in UNIT_SUFFIX and not (unit.startswith("{") and unit.endswith("}")):
        raise ConfigError(
            f"signal {signal.id!r}: got unit {unit!r}, expected one of 1, {', '.join(UNIT_SUFFIX)} or {{thing}}",
            hint=next((f"unit={short!r}" for short, name in UNIT_SUFFIX.items() if name == unit), None),
        )
    return replace(signal, metric=prometheus_name(signal.id, signal))


def _expect(signal: S, kind: type[Signal]) -> S:
    if not isinstance(signal, kind):
        got = getattr(signal, "kind", type(signal).__name__)
        raise ConfigError(f"got a {got}, expected a {kind.kind} signal or its id")
    return signal


def _known(handle: H) -> H:
    """Register `handle`, or return the one that an equal signal has already."""
    signal = handle.signal
    _registry.add(signal)
    known = _handles.get(signal.id)
    if isinstance(known, type(handle)):
        return known
    handle.attach(_backend)
    _handles[signal.id] = handle
    return handle
