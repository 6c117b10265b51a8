"""The contract: a catalogue as JSON, the only thing the runtime's world hands to the toolchain.

A service exports its signals once (``obs catalogue export``); the generator then proves every
query against that file without importing, or even having, the service's code.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from obs.catalogue.registry import Registry
from obs.catalogue.signal import DIALECTS, Counter, Gauge, Histogram, Kind, Label, Signal
from obs.errors import ConfigError

FORMAT = "obs.contract/v1"
_KINDS: dict[Kind, type[Signal]] = {"counter": Counter, "gauge": Gauge, "histogram": Histogram}


def export(signals: Iterable[Signal], service: str | None = None) -> dict[str, Any]:
    """Return the contract of `signals` as plain data, in a stable order."""
    ordered = sorted(signals, key=lambda signal: signal.id)
    return {"format": FORMAT, "service": service, "signals": [_signal_data(signal) for signal in ordered]}


def dumps(signals: Iterable[Signal], service: str | None = None) -> str:
    """Return the contract as JSON text, the same bytes for the same signals."""
    return json.dumps(export(signals, service), indent=2, ensure_ascii=False) + "\n"


def loads(text: str, where: str) -> Registry:
    """Read a contract back; `where` names its file in errors.

    Raises `ConfigError` when it is no contract or holds an illegal signal.
    """
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        place = f"{where}:{error.lineno}:{error.colno}"
        raise ConfigError(f"not JSON: {error.msg}", place, "obs catalogue export writes one") from None
    except (RecursionError, ValueError):
        # Nested without end, or a number without end: the library says no more of it.
        data = None
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise ConfigError(f"not a contract: expected an object with format {FORMAT!r}", where)
    registry = Registry()
    entries = data.get("signals")
    if not isinstance(entries, list):
        raise ConfigError("not a contract: signals must be a list", where)
    # A counter may refer to the histogram that counts it, so histograms come first.
    for number, entry in sorted(enumerate(entries), key=lambda item: _kind_of(item[1]) != "histogram"):
        _add(registry, entry, f"{where}: signal {number + 1}")
    return registry


def _add(registry: Registry, entry: Mapping[str, Any], where: str) -> None:
    try:
        registry.add(_signal(entry))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"malformed: {error!r}", where, "obs catalogue export writes the form") from None
    except ConfigError as error:
        raise ConfigError(error.message, where, error.hint) from None


def _kind_of(entry: object) -> object:
    return entry.get("kind") if isinstance(entry, Mapping) else None


def _signal_data(signal: Signal) -> dict[str, Any]:
    data: dict[str, Any] = {
        "id": signal.id,
        "kind": signal.kind,
        "unit": signal.unit,
        "help": signal.help,
        "stability": signal.stability,
        "origin": signal.origin,
        "names": {dialect: signal.named(dialect) for dialect in DIALECTS},
        "labels": [_label_data(label) for label in signal.labels],
    }
    if isinstance(signal, Histogram):
        data["buckets"] = list(signal.buckets)
    if isinstance(signal, Gauge):
        data["across"] = signal.across
    if isinstance(signal, Counter) and signal.counted_by:
        data["counted_by"] = signal.counted_by
    return data


def _label_data(label: Label) -> dict[str, Any]:
    return {
        "name": label.name,
        "help": label.help,
        "bounded": label.bounded,
        "values": list(label.values),
        "names": {dialect: label.named(dialect) for dialect in DIALECTS},
    }


def _signal(entry: Mapping[str, Any]) -> Signal:
    kind = _KINDS[entry["kind"]]
    names = entry["names"]
    extra: dict[str, Any] = {}
    if kind is Histogram:
        extra["buckets"] = tuple(float(bound) for bound in entry["buckets"])
    if kind is Gauge:
        extra["across"] = entry.get("across", "sum")
    if kind is Counter:
        extra["counted_by"] = entry.get("counted_by", "")
    return kind(
        id=entry["id"],
        metric=names["otel"],
        classic=names["classic"] if names["classic"] != names["otel"] else "",
        help=entry["help"],
        unit=entry["unit"],
        stability=entry["stability"],
        origin=entry["origin"],
        labels=tuple(_label(label) for label in entry["labels"]),
        **extra,
    )


def _label(entry: Mapping[str, Any]) -> Label:
    names = entry["names"]
    default = entry["name"].replace(".", "_")
    return Label(
        name=entry["name"],
        help=entry["help"],
        values=tuple(entry["values"]),
        bounded=entry["bounded"],
        classic=names["classic"] if names["classic"] != default else "",
    )
