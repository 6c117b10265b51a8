"""The names that one service's queries may use, in its dialect, taken from its contract."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from obs.catalogue import Dialect, Histogram, Registry, Signal
from obs.catalogue.signal import TARGET_LABELS
from obs.errors import UnknownSignal, suggest
from obs.generate.model import Service

#: What identifies the source of an alert; every aggregation of an alert keeps it.
BY = "service, environment"
#: Labels of the series that Prometheus writes about alerts.
_ALERT_LABELS = frozenset({"alertname", "alertstate", "severity", "category", "team", "job_name"})
#: Labels that sloth's rules put on everything an SLO records.
SLOTH_LABELS = frozenset({"sloth_id", "sloth_service", "sloth_slo", "sloth_window"})


@dataclass(frozen=True)
class Vocabulary:
    """Looks signals up by id and writes their selectors.

    Ids, metrics and labels that the contract does not declare raise `UnknownSignal`.
    """

    signals: Registry
    dialect: Dialect
    select: Mapping[str, str]
    #: Recorded series -> their labels.
    recorded: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, service: Service, recorded: Mapping[str, frozenset[str]] | None = None) -> Vocabulary:
        """Return the vocabulary of `service`; `recorded` names series that its own rules write."""
        return cls(service.signals, service.dialect, service.select, recorded or {})

    def metric(self, id_: str) -> str:
        """Return the name of a counter's or gauge's series."""
        return self.signals.find(id_).named(self.dialect)

    def bucket(self, id_: str) -> str:
        """Return the name of a histogram's bucket series."""
        return f"{self.metric(id_)}_bucket"

    def count(self, id_: str) -> str:
        """Return the name of the series that counts a histogram's observations."""
        return f"{self.metric(id_)}_count"

    def label(self, id_: str, name: str) -> str:
        """Return the Prometheus name of the dotted label `name` of a signal."""
        signal = self.signals.find(id_)
        label = signal.label(name)
        if label is None:
            known = [label.name for label in signal.labels]
            raise UnknownSignal(f"signal {id_!r} has no label {name!r}", hint=suggest(name, known))
        return label.named(self.dialect)

    def selector(self, metric: str, *matchers: str) -> str:
        """Return a selector of this service's series of `metric`."""
        own = [f'{name}="{escape(value)}"' for name, value in self.select.items()]
        return f"{metric}{{{', '.join([*own, *matchers])}}}"

    def labels_of(self, metric: str) -> frozenset[str]:
        """Return every label that series of `metric` may have; raise `UnknownSignal` when there are none."""
        labels = self._metrics.get(metric)
        if labels is None:
            raise UnknownSignal(
                f"no signal of the contract is called {metric!r}", hint=suggest(metric, self._metrics)
            )
        return labels

    @cached_property
    def _metrics(self) -> dict[str, frozenset[str]]:
        target = frozenset({*TARGET_LABELS, *self.select})
        known = {"ALERTS": target | _ALERT_LABELS | SLOTH_LABELS}
        known |= {name: labels | target for name, labels in self.recorded.items()}
        for signal in self.signals:
            labels = target | set(signal.label_names(self.dialect))
            known |= dict.fromkeys(_names(signal, self.dialect), labels)
            if isinstance(signal, Histogram):
                known[f"{signal.named(self.dialect)}_bucket"] = labels | {"le"}
        return known


def _names(signal: Signal, dialect: Dialect) -> Iterable[str]:
    name = signal.named(dialect)
    if isinstance(signal, Histogram):
        return (f"{name}_count", f"{name}_sum")
    return (name,)


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
