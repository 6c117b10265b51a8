"""The names that one service's queries may use, in its dialect, taken from its contract."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from obs.catalogue import Dialect, Histogram, Registry, Signal
from obs.catalogue.everything import everything
from obs.catalogue.signal import TARGET_LABELS
from obs.errors import UnknownSignal, suggest
from obs.generate.derive.dialects import MetricName, adapted, label_of, samples
from obs.generate.derive.gaps import CannotDerive, gap
from obs.generate.model import MappedSignal, Service

#: What identifies the source of an alert; every aggregation of an alert keeps it.
BY = "service, environment"
#: Labels of the series that Prometheus writes about alerts.
_ALERT_LABELS = frozenset({"alertname", "alertstate", "severity", "category", "team", "tier", "job_name"})
#: Labels that sloth's rules put on everything an SLO records.
SLOTH_LABELS = frozenset({"sloth_id", "sloth_service", "sloth_slo", "sloth_window"})


@dataclass(frozen=True)
class Vocabulary:
    """Looks signals up by id and writes their selectors.

    What the catalogue knows but this service lacks is given a stand-in (`derive.gaps`), which
    `derive.promql.checked` refuses with the reason; what nobody knows raises `UnknownSignal` at once.
    """

    signals: Registry
    dialect: Dialect
    select: Mapping[str, str]
    #: Recorded series -> their labels.
    recorded: Mapping[str, frozenset[str]]
    #: Id of a signal -> the team's own metric that plays its role.
    mapping: Mapping[str, MappedSignal] = field(default_factory=dict)

    @classmethod
    def of(cls, service: Service, recorded: Mapping[str, frozenset[str]] | None = None) -> Vocabulary:
        """Return the vocabulary of `service`; `recorded` names series that its own rules write."""
        return cls(service.signals, service.dialect, service.select, recorded or {}, service.mapping)

    def signal(self, id_: str) -> Signal:
        """Return the signal as this service has it; raise `CannotDerive` when it has none."""
        if id_ not in self.signals and id_ in _catalogue():
            raise CannotDerive(_no_signal(id_))
        return self.signals.find(id_)

    def label_names(self, id_: str) -> tuple[str, ...]:
        """Return the Prometheus names of the labels that a signal has here."""
        return tuple(self.label(id_, label.name) for label in self.signal(id_).labels)

    def metric(self, id_: str) -> str:
        """Return the name of a counter's or gauge's series."""
        mapped = self.mapping.get(id_)
        if mapped is not None:
            return MetricName(mapped.metric, mapped)
        if id_ not in self.signals and id_ in _catalogue():
            return gap(_no_signal(id_))
        return self.signals.find(id_).named(self.dialect)

    def bucket(self, id_: str) -> str:
        """Return the name of a histogram's bucket series."""
        return self.metric(id_) + "_bucket"

    def count(self, id_: str) -> str:
        """Return the name of the series that counts a histogram's observations."""
        return self.metric(id_) + "_count"

    def label(self, id_: str, name: str) -> str:
        """Return the Prometheus name of the dotted label `name` of a signal."""
        signal = self.signals.find(id_) if id_ in self.signals else _catalogue().find(id_)
        mapped = self.mapping.get(id_)
        label = signal.label(name)
        if label is None and _declares(id_, name):
            if mapped is not None:
                return label_of(mapped, name)
            return gap(f"the service's contract knows no label {name} of {id_}")
        if label is None:
            known = [label.name for label in signal.labels]
            raise UnknownSignal(f"signal {id_!r} has no label {name!r}", hint=suggest(name, known))
        return label_of(mapped, name) if mapped is not None else label.named(self.dialect)

    def selector(self, metric: str, *matchers: str) -> str:
        """Return a selector of this service's series of `metric`."""
        name, chosen = (
            adapted(metric, matchers) if isinstance(metric, MetricName) else (metric, list(matchers))
        )
        return f"{name}{{{', '.join([*self.matchers, *chosen])}}}"

    @property
    def matchers(self) -> tuple[str, ...]:
        """The matchers that pick the service's series."""
        return tuple(f'{label}="{escape(value)}"' for label, value in self.select.items())

    def converted(self, id_: str, expr: str) -> str:
        """Return `expr`, which measures in the unit of a signal's metric, in the unit of the signal."""
        mapped = self.mapping.get(id_)
        return f"({expr}) / {mapped.scale}" if mapped is not None and mapped.scale != 1 else expr

    def samples(self, metric: str, labels: Mapping[str, str]) -> list[tuple[str, dict[str, str]]]:
        """Return the series that stand for one series told with the labels of the catalogue."""
        return samples(metric, labels) if isinstance(metric, MetricName) else [(metric, dict(labels))]

    def labels_of(self, metric: str) -> frozenset[str]:
        """Return every label that series of `metric` may have; raise `UnknownSignal` when there are none."""
        labels = self._metrics.get(metric)
        if labels is None:
            raise UnknownSignal(
                f"no signal of the contract is called {metric!r}", hint=suggest(metric, self._metrics)
            )
        return labels

    def signals_of(self, metrics: Iterable[str]) -> tuple[str, ...]:
        """Return the ids of the signals whose series `metrics` are; recorded series belong to none."""
        owners: dict[str, str] = {}
        for signal in self.signals:
            mapped = self.mapping.get(signal.id)
            name = mapped.metric if mapped is not None else signal.named(self.dialect)
            names = [*_series(name, signal), f"{name}_bucket", mapped.bad_metric if mapped else ""]
            owners |= {one: signal.id for one in names if one and one not in owners}
        return tuple(dict.fromkeys(owners[metric] for metric in metrics if metric in owners))

    @cached_property
    def _metrics(self) -> dict[str, frozenset[str]]:
        target = frozenset({*TARGET_LABELS, *self.select})
        known = {"ALERTS": target | _ALERT_LABELS | SLOTH_LABELS}
        known |= {name: labels | target for name, labels in self.recorded.items()}
        for mapped in self.mapping.values():
            signal = self.signals.find(mapped.id)
            labels = target | {own.label for own in mapped.labels.values()} | set(mapped.match)
            names = _series(mapped.metric, signal)
            known |= {
                name: labels | known.get(name, frozenset()) for name in (*names, mapped.bad_metric) if name
            }
            if isinstance(signal, Histogram):
                known[f"{mapped.metric}_bucket"] = labels | {"le"}
        for signal in self.signals:
            if signal.id in self.mapping:
                continue
            labels = target | set(signal.label_names(self.dialect))
            known |= dict.fromkeys(_series(signal.named(self.dialect), signal), labels)
            if isinstance(signal, Histogram):
                known[f"{signal.named(self.dialect)}_bucket"] = labels | {"le"}
        return known


def _series(name: str, signal: Signal) -> Iterable[str]:
    if isinstance(signal, Histogram):
        return (f"{name}_count", f"{name}_sum")
    return (name,)


@lru_cache(maxsize=1)
def _catalogue() -> Registry:
    return everything()


def _no_signal(id_: str) -> str:
    return f"the service has no signal {id_}"


def _declares(id_: str, label: str) -> bool:
    return id_ in _catalogue() and _catalogue().find(id_).label(label) is not None


def matcher(label: str, value: str) -> str:
    """Return the matcher of one value, or of a class: ``5xx`` stands for 500 to 599."""
    if len(value) == 3 and value[0].isdigit() and value[1:] == "xx":
        return f'{label}=~"{value[0]}.."'
    return f'{label}="{escape(value)}"'


def le(bound: float) -> str:
    """Return the matcher of a bucket's bound, however the exporter prints whole numbers.

    Prometheus 3 stores ``le="1.0"``; before, it was whatever the exporter wrote, ``1`` or ``1.0``.
    """
    text = f"{bound:g}"
    return f'le=~"{text}|{text}\\\\.0"' if bound == int(bound) else f'le="{text}"'


def escape(value: str) -> str:
    """Return `value` as it stands between double quotes in PromQL."""
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
