"""What obs and the kernel say of this process, read at each scrape."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from obs._version import __version__
from obs.catalogue import Dialect, Signal, process
from obs.catalogue import log as log_signals
from obs.catalogue import self as self_signals
from obs.runtime import process as kernel
from obs.runtime import tally
from obs.runtime.settings import Settings


class Told(NamedTuple):
    """What obs and the kernel say of this process, or of all processes of its group together."""

    #: Kind and key -> how often, and since when in seconds since the epoch.
    counts: Mapping[tuple[str, str], tuple[float, float]]
    usage: kernel.Usage


def told_here() -> Told:
    """Return what is to be said of this process alone."""
    counts = tally.everything().items()
    return Told(
        {(kind, key): (float(number), tally.started) for (kind, key), number in counts}, kernel.usage()
    )


class Own:
    """A collector of counts that live outside prometheus_client."""

    def __init__(self, settings: Settings) -> None:
        self._dialect: Dialect = settings.dialect
        self._version = settings.version
        self._counts: tuple[tuple[Signal, tally.Kind], ...] = (
            (log_signals.RECORDS, "log_records"),
            (self_signals.ERRORS, "errors"),
            (self_signals.OVERFLOW, "overflow"),
            (self_signals.SPANS_DROPPED, "spans_dropped"),
            (self_signals.LOGS_DROPPED, "logs_dropped"),
        )
        self._limits = kernel.limits()

    def describe(self) -> Iterable[Metric]:
        """Return the names that are taken, for the registry to refuse a second owner."""
        return self.collect()

    def collect(self, told: Told | None = None) -> Iterable[Metric]:
        """Return every metric as it is now, or as `told`."""
        told = told_here() if told is None else told
        since = min((born for _, born in told.counts.values() if born), default=tally.started)
        for signal, kind in self._counts:
            yield self._count(signal, kind, told, since)
        build = self._gauge(self_signals.BUILD)
        build.add_metric([self._version, __version__], 1)
        yield build
        yield from self._process(told.usage)

    def _count(self, signal: Signal, kind: tally.Kind, told: Told, since: float) -> Metric:
        family = CounterMetricFamily(
            signal.named(self._dialect), signal.help, labels=signal.label_names(self._dialect)
        )
        values = dict.fromkeys(signal.labels[0].values, (0.0, since))
        values |= {key: count for (of, key), count in told.counts.items() if of == kind}
        for value, (number, born) in values.items():
            family.add_metric([value], number, created=born or since)
        return family

    def _process(self, now: kernel.Usage) -> Iterable[Metric]:
        cpu = CounterMetricFamily(
            process.CPU_TIME.named(self._dialect),
            process.CPU_TIME.help,
            labels=process.CPU_TIME.label_names(self._dialect),
        )
        for mode, seconds in (("user", now.cpu_user), ("system", now.cpu_system)):
            if seconds is not None:
                cpu.add_metric([mode], seconds, created=now.started)
        yield cpu
        for signal, value in (
            (process.CPU_LIMIT, self._limits.cpus),
            (process.MEMORY_USAGE, now.memory),
            (process.MEMORY_LIMIT, self._limits.memory),
            (process.OPEN_FDS, now.open_fds),
            (process.MAX_FDS, now.max_fds),
            (process.START_TIME, now.started),
        ):
            if value is not None:
                gauge = self._gauge(signal)
                gauge.add_metric([], value)
                yield gauge

    def _gauge(self, signal: Signal) -> GaugeMetricFamily:
        return GaugeMetricFamily(
            signal.named(self._dialect), signal.help, labels=signal.label_names(self._dialect)
        )
