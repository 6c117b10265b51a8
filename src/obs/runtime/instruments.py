"""Handles of metrics: made anywhere, inert until `init()`, bound again whenever it runs."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from obs.catalogue import Counter as CounterSignal
from obs.catalogue import Gauge as GaugeSignal
from obs.catalogue import Histogram as HistogramSignal
from obs.catalogue import Label, Registry, Signal, bundled
from obs.catalogue.naming import UNIT_SUFFIX, prometheus_name
from obs.catalogue.signal import SECONDS_BUCKETS, Across
from obs.errors import ConfigError
from obs.runtime.handles import Backend, Counter, Gauge, Histogram

__all__ = ["Counter", "Gauge", "Histogram", "attach_all", "counter", "gauge", "histogram"]

S = TypeVar("S", bound=Signal)
H = TypeVar("H", Counter, Gauge, Histogram)
_backend: Backend | None = None
_registry: Registry = bundled()
_handles: dict[str, Counter | Gauge | Histogram] = {}
# Re-entrant, because a signal handler may make a handle while this very thread does.
_lock = threading.RLock()


def attach_all(backend: Backend | None) -> None:
    """Bind every handle to `backend`; None makes them inert."""
    global _backend
    with _lock:
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
    with _lock:
        _registry.add(signal)
        # Known before it is bound, so that there is never a second one that counts the same.
        known = _handles.setdefault(signal.id, handle)
        if known is handle:
            try:
                handle.attach(_backend)
            except BaseException:
                _handles.pop(signal.id, None)
                raise
    return known if isinstance(known, type(handle)) else handle


def _renew_in_child() -> None:
    global _lock
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_in_child)
