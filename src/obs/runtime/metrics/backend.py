"""The metrics back end: every metric of one run of obs, each with at most so many series."""

from __future__ import annotations

import itertools
import math
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from prometheus_client import CollectorRegistry, Metric

from obs.catalogue import Counter, Dialect, Gauge, Signal
from obs.errors import ConfigError
from obs.runtime import guard, logger
from obs.runtime.metrics import host, render
from obs.runtime.metrics.family import HEAD, OVERFLOW, Exemplar, Family, Row, Values, define
from obs.runtime.metrics.gather import Gatherer
from obs.runtime.metrics.group import Group, itself, leader, possible
from obs.runtime.metrics.measure import measured
from obs.runtime.metrics.own import Own
from obs.runtime.metrics.series import (
    CounterSeries,
    DatedGaugeSeries,
    GaugeSeries,
    HistogramSeries,
    OverflowSeries,
)
from obs.runtime.metrics.starts import Watch
from obs.runtime.metrics.store import Store
from obs.runtime.points import Measured
from obs.runtime.settings import Settings

#: The declared value of a closed label that stands for all others, where it has one.
OTHER = "_OTHER"
#: Closed combinations of labels that are created at once; more of them would only bloat a scrape.
_PREPARED = 64
#: Longest label value, in characters: a series keeps its labels as long as the process lives.
_VALUE_LIMIT = 256


class Reading(NamedTuple):
    """One series as it is now; of a histogram, `value` is the count of observations."""

    value: float
    sum: float = 0.0
    #: Observations in each bucket alone, the infinite one last.
    buckets: tuple[float, ...] = ()
    exemplars: tuple[Exemplar, ...] = ()


class KeptMetric:
    """One metric: its series by label values, at most `cap` of them."""

    def __init__(self, signal: Signal, dialect: Dialect, cap: int, store: Store) -> None:
        self.signal = signal
        self._name = signal.named(dialect)
        self._cap = cap
        self._store = store
        self._open = tuple(index for index, label in enumerate(signal.labels) if not label.bounded)
        self._closed = {
            index: frozenset(label.values) for index, label in enumerate(signal.labels) if label.values
        }
        self._series: dict[Values, Any] = {}
        self._warned = False
        self._kind = _kind(signal)
        self.family = Family(define(signal, dialect, cap))
        self._rows: dict[Values, Row] = {}

    def describe(self) -> Iterable[Metric]:
        """Return the name that is taken, for the registry to refuse a second owner."""
        definition = self.family.definition
        return [Metric(definition.name, definition.help, definition.kind)]

    def collect(self) -> Iterable[Metric]:
        """Return this process's series as prometheus_client's own objects."""
        return render.metrics(
            render.Snapshot([(self.family, self.rows())], self._store.cells.tolist(), self._store.exemplars)
        )

    def rows(self) -> list[Row]:
        """Return every series in the order of their making."""
        return list(self._rows.values())

    def row(self, values: Values) -> Row | None:
        """Return the series with `values` when there is one already."""
        return self._rows.get(values)

    def find(self, values: Values) -> Any | None:
        """Return the series with `values` when there is one already."""
        return self._series.get(values)

    def series(self, values: Values) -> Any:
        """Return the series with `values` in the order of the labels, within the cap."""
        found = self._series.get(values)
        return found if found is not None else self._add(values)

    def prepare(self, known: Mapping[int, str]) -> None:
        """Create the series for every closed combination of the labels not in `known`."""
        choices = [
            (known[index],) if index in known else label.values
            for index, label in enumerate(self.signal.labels)
        ]
        if math.prod(len(choice) for choice in choices) <= _PREPARED:
            for values in itertools.product(*choices):
                self.series(values)

    def refresh(self) -> None:
        """Read what is tracked."""
        if isinstance(self.signal, Gauge):
            for series in list(self._series.values()):
                series.refresh()

    def _add(self, given: Values) -> Any:
        values = tuple(_writable(value) for value in given)
        full = bool(self._open) and len(self._series) >= self._cap and values not in self._series
        fitted = tuple(
            OVERFLOW if full and index in self._open else self._declared(index, value)
            for index, value in enumerate(values)
        )
        with self._store.lock:
            series = self._series.get(fitted) or self._make(fitted)
        if fitted == values:
            return series
        self._warn(full=full)
        return OverflowSeries(series, self._name)

    def _declared(self, index: int, value: str) -> str:
        declared = self._closed.get(index)
        if declared is None or value in declared:
            return value
        return OTHER if OTHER in declared else OVERFLOW

    def _make(self, values: Values) -> Any:
        # A signal handler may make the same one in the middle of this: the first to be kept is the one.
        row = self._rows.get(values)
        if row is None:
            at = self._store.allocate(self.family, values)
            row = self._rows.setdefault(values, Row(values, self.family.starts(values), at))
        return self._series.setdefault(values, self._kind(self._store, row.at, self.family))

    def _warn(self, *, full: bool) -> None:
        if self._warned:
            return
        self._warned = True
        why = (
            f"reached its cap of {self._cap} series"
            if full
            else "got a value that its label does not declare"
        )
        with guard.contained("metrics"):
            logger.get_logger("obs").warning(
                f"metric {self._name} {why}; what does not fit is counted as {OVERFLOW}", metric=self._name
            )


def _kind(signal: Signal) -> Callable[[Store, int, Family], Any]:
    if isinstance(signal, Counter):
        return CounterSeries
    if isinstance(signal, Gauge):
        return GaugeSeries if signal.across == "sum" else DatedGaugeSeries
    return HistogramSeries


def _writable(value: str) -> str:
    """Return `value` cut to what is kept, and so that it can be encoded: half a character cannot."""
    return value[:_VALUE_LIMIT].encode("utf-8", "backslashreplace").decode()


class Metrics:
    """Every metric of one run of obs, in a registry of its own."""

    def __init__(self, settings: Settings) -> None:
        self._dialect: Dialect = settings.dialect
        self._cap = settings.series_cap
        self._metrics: dict[str, KeptMetric] = {}
        self._gatherer = Gatherer()
        self._refreshing = threading.local()
        self._marked = False
        self._group = _group(settings) if settings.metrics_workers else None
        #: Whether no other process has a better right to say what all have counted.
        self.speaks_for_all = self._group is None or not self._group.has_other_leader
        self.store = Store(self._refresh)
        self._watch: Watch | None = None
        if self._group is not None and self._group.has_other_leader:
            self.store.join(self._group)
        elif self._group is not None:
            self._watch = Watch(self.share)
            self._watch.begin()
        self.own = Own(settings)
        self.registry = CollectorRegistry()
        self.registry.register(self.own)

    def metric(self, signal: Signal) -> KeptMetric | None:
        """Return the metric of `signal`; None when another signal's series already count it.

        Raises `ConfigError` when its name is taken by a signal of obs itself.
        """
        if isinstance(signal, Counter) and signal.counted_by and not self._has_own_series(signal):
            return None
        metric = KeptMetric(signal, self._dialect, self._cap, self.store)
        try:
            self.registry.register(metric)
        except ValueError as error:
            raise ConfigError(f"signal {signal.id!r} cannot be kept: {error}") from None
        self._metrics[signal.id] = metric
        metric.prepare({})
        return metric

    def _has_own_series(self, signal: Counter) -> bool:
        return self._dialect == "classic" and bool(signal.classic)

    def snapshot(self) -> render.Snapshot:
        """Return every series of this process as it is now."""
        self._refresh()
        with self.store.lock:
            return render.Snapshot(
                [(metric.family, metric.rows()) for metric in self._metrics.values()],
                self.store.cells.tolist(),
                dict(self.store.exemplars),
            )

    def view(self) -> tuple[render.Snapshot, Iterable[Metric]]:
        """Return what a scrape shows: our series, and what obs says of itself and of the process.

        A process that shares its work answers for all that do. Raises OSError when it cannot read what
        they have written: an answer for itself alone would look like a reset of every counter.
        """
        if self.store.group is None and self._group is not None and self._group.exists():
            # Children that were started afresh, not forked, have made the folder.
            self.store.promote(self._group)
        # Who is scraped is one of those that it shows.
        self.store.open()
        group = self.store.group
        if group is None:
            return self.snapshot(), self.own.collect()
        self._refresh()
        total, told = self._gatherer.gather(group)
        if not self._marked:
            self._marked = True
            group.mark_scraped()
        metrics = list(self._metrics.values())
        order = {metric.family.definition.name: number for number, metric in enumerate(metrics)}
        families = sorted(total.families, key=lambda item: order.get(item[0].definition.name, len(order)))
        return total._replace(families=families), self.own.collect(told)

    def _refresh(self) -> None:
        if getattr(self._refreshing, "here", False):
            # What is tracked scrapes in its turn.
            return
        try:
            self._refreshing.here = True
            for metric in list(self._metrics.values()):
                metric.refresh()
        finally:
            self._refreshing.here = False

    def share(self) -> None:
        """Let others see the numbers of this process: it is about to start another."""
        if self._group is not None:
            self.store.promote(self._group)

    def hold(self) -> None:
        """Share, and end the thread: this process is about to fork."""
        self.share()
        self.store.refresher.stop()

    def resume(self) -> None:
        """Go on in the parent."""
        self.store.resume()

    def renew(self) -> None:
        """Start from zero in the child of a fork."""
        self.speaks_for_all = False
        # A thread of the parent may have been scraping.
        self._gatherer = Gatherer()
        host.free(self.registry)
        self.store.renew()

    def scraped_elsewhere(self) -> bool:
        """Return whether another process of the group has answered a scrape for all."""
        return self._group is not None and self._group.was_scraped()

    def measured(self) -> list[Measured]:
        """Return everything that a scrape would show, as plain data."""
        return measured(*self.view())

    def value(self, signal: str | Signal, labels: Mapping[str, object] | None = None) -> float | None:
        """Return the value of one series, of a histogram the count of observations; None without it."""
        reading = self.read(signal, labels)
        return None if reading is None else reading.value

    def read(self, signal: str | Signal, labels: Mapping[str, object] | None = None) -> Reading | None:
        """Return one series of this process, found by signal (or its id) and labels; None without it.

        Labels may be named as the signal declares them or as a handle takes them.
        """
        metric = self._metrics.get(signal if isinstance(signal, str) else signal.id)
        if metric is None:
            return None
        given = {name.replace(".", "_"): str(value) for name, value in (labels or {}).items()}
        names = [label.named("otel") for label in metric.signal.labels]
        if set(given) != set(names):
            return None
        values = tuple(given[name] for name in names)
        metric.refresh()
        row = metric.row(values)
        return None if row is None else self._reading(metric.family, row.at)

    def _reading(self, family: Family, at: int) -> Reading:
        with self.store.lock:
            cells = self.store.cells
            numbers = [cells[position] for position in range(at, at + family.width)]
            exemplars = [self.store.exemplars.get(position) for position in range(at, at + family.width)]
        kept = tuple(exemplar for exemplar in exemplars if exemplar is not None)
        if family.definition.kind != "histogram":
            return Reading(numbers[0], exemplars=kept)
        buckets = tuple(numbers[HEAD:])
        return Reading(sum(buckets), numbers[0], buckets, kept)

    def close(self) -> None:
        """Leave the group."""
        if self._watch is not None:
            self._watch.end()
        self.store.close()


def _group(settings: Settings) -> Group | None:
    """Return the group that this process is in, or that it leads should it ever fork."""
    if not possible():
        return None
    other = leader()
    process = other or itself()
    if process is None:
        return None
    return Group(
        settings.metrics_dir, f"{settings.service} {settings.dialect}", process, led=other is not None
    )
