"""What metrics exist: their types, labels and buckets, from contracts, specs and recording rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

from obs.catalogue import DIALECTS, Dialect, Histogram, Label, Signal
from obs.catalogue.signal import TARGET_LABELS
from obs.generate.model import Duration
from obs.lint.promql.labels import ANY, Labels

#: What the samples of one series are; of a recorded one nobody has said it, and of a native histogram
#: they are whole distributions.
SeriesKind: TypeAlias = Literal["counter", "gauge", "bucket", "native", "recorded"]


@dataclass(frozen=True, slots=True)
class Metric:
    """One series name of a signal."""

    name: str
    kind: SeriesKind
    signal: str
    unit: str
    #: Those of the signal, `le` included; what a target adds is the contract's.
    labels: Mapping[str, Label | None]
    #: Finite upper bounds; empty for what is no bucket.
    buckets: tuple[float, ...] = ()
    #: Whether nobody knows all of its labels.
    is_open: bool = False


@dataclass(frozen=True, eq=False)
class Contract:
    """Metrics by name, and the labels that targets and the server add to all of them."""

    metrics: Mapping[str, Metric]
    added: frozenset[str] = frozenset(TARGET_LABELS)
    #: How far apart the samples of the series are that these labels and values pick.
    intervals: tuple[tuple[tuple[tuple[str, str], ...], Duration], ...] = ()

    def labels_of(self, name: str) -> Labels:
        """Return the labels that series called `name` may have; any, when nothing is called so."""
        if name not in self._labels:
            metric = self.metrics.get(name)
            self._labels[name] = (
                Labels(self.added | set(metric.labels), metric.is_open) if metric is not None else ANY
            )
        return self._labels[name]

    def recording(self, metrics: Iterable[Metric]) -> Contract:
        """Return the contract with series that rules record, where it does not know the name already."""
        recorded = {metric.name: metric for metric in metrics}
        return Contract({**recorded, **self.metrics}, self.added, self.intervals)

    @cached_property
    def _labels(self) -> dict[str, Labels]:
        return {}

    def joined(self, other: Contract) -> Contract:
        """Return both; what both declare may have the labels of either."""
        merged = dict(self.metrics)
        for name, metric in other.metrics.items():
            mine = merged.get(name)
            merged[name] = metric if mine is None else _wider(mine, metric)
        return Contract(merged, self.added | other.added, self.intervals + other.intervals)


def of_signals(
    signals: Iterable[Signal], dialects: Iterable[Dialect] = DIALECTS, added: Iterable[str] = ()
) -> Contract:
    """Return what `signals` are called in `dialects`; `added` are labels beside those of every target."""
    contract = Contract({}, frozenset({*TARGET_LABELS, *added}))
    signals = list(signals)
    for dialect in dialects:
        metrics = {metric.name: metric for signal in signals for metric in _metrics(signal, dialect)}
        contract = contract.joined(Contract(metrics, contract.added))
    return contract


def _metrics(signal: Signal, dialect: Dialect) -> Iterable[Metric]:
    return of_mapped(signal, signal.named(dialect), {label.named(dialect): label for label in signal.labels})


def of_mapped(signal: Signal, name: str, labels: Mapping[str, Label | None]) -> Iterable[Metric]:
    """Yield the series of `signal` where its metric is called `name` and has `labels`."""
    if isinstance(signal, Histogram):
        for suffix in ("_count", "_sum"):
            yield Metric(f"{name}{suffix}", "counter", signal.id, signal.unit, labels)
        # A native histogram has the bare name; its samples go through histogram functions only.
        yield Metric(
            f"{name}_bucket", "bucket", signal.id, signal.unit, {**labels, "le": None}, signal.buckets
        )
        return
    yield Metric(name, "counter" if signal.kind == "counter" else "gauge", signal.id, signal.unit, labels)


def _wider(one: Metric, other: Metric) -> Metric:
    buckets = tuple(sorted({*one.buckets, *other.buckets}))
    return Metric(one.name, one.kind, one.signal, one.unit, {**one.labels, **other.labels}, buckets)
