"""Metrics as a test reads them: by signal, from what a scrape would say at this moment."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from obs.catalogue import Counter, Dialect, Gauge, Histogram, Signal
from obs.errors import ObsError, UnknownSignal, suggest
from obs.runtime import endpoints, instruments, live

#: A handle, a catalogue signal, its id, or the metric name of a metric that the host made itself.
Named: TypeAlias = "str | Signal | instruments.Counter | instruments.Gauge | instruments.Histogram"


@dataclass(frozen=True)
class Reading:
    """One series and its value."""

    name: str
    labels: Mapping[str, str]
    value: float

    def __str__(self) -> str:
        """Return it as it stands in a scrape."""
        inside = ",".join(f'{name}="{value}"' for name, value in self.labels.items())
        return f"{self.name}{{{inside}}} {self.value:g}" if inside else f"{self.name} {self.value:g}"


@dataclass(frozen=True)
class Distribution:
    """What a histogram has seen; `buckets` maps upper bounds to events at or below them."""

    count: int
    sum: float
    buckets: Mapping[float, int]


@dataclass(frozen=True)
class Selection:
    """Where the values of a signal are found: the name of its series and the labels they must have."""

    signal: Signal | None
    name: str
    labels: Mapping[str, str]

    def of(self, readings: list[Reading]) -> list[Reading]:
        """Return the readings that are meant."""
        return [
            item
            for item in readings
            if item.name == self.name
            and all(item.labels.get(name) == value for name, value in self.labels.items())
        ]

    def described(self) -> str:
        """Return it for a message."""
        name = self.signal.id if self.signal is not None else self.name
        inside = ", ".join(f"{label}={value!r}" for label, value in self.labels.items())
        return f"{name} ({inside})" if inside else name


def scrape() -> list[Reading]:
    """Return every series as a scrape would show it. Raises `ObsError` while metrics are off."""
    from obs.runtime.metrics.readings import read

    answer = endpoints.answer_in_thread("metrics", "", "")
    if answer.status != 200:
        raise ObsError(f"metrics cannot be read: {answer.body.decode().strip()}")
    return [Reading(*sample) for sample in read(answer.body)]


def select(named: Named, labels: Mapping[str, object], readings: list[Reading]) -> Selection:
    """Return where `named` is found. Raises `UnknownSignal` for a name or label that does not exist."""
    signal = _signal(named, readings)
    if signal is None:
        name = str(named)
        present = {label for item in readings if item.name == name for label in item.labels}
        return Selection(None, name, _labels(name, labels, {label: label for label in present}))
    dialect = _dialect()
    known = {label.named(dialect): label.named(dialect) for label in signal.labels}
    known |= {label.name: label.named(dialect) for label in signal.labels}
    known |= {label.named("otel"): label.named(dialect) for label in signal.labels}
    return Selection(signal, _series_name(signal, dialect), _labels(signal.id, labels, known))


def distribution(selection: Selection, readings: list[Reading]) -> Distribution:
    """Return the events of every series of a histogram that `selection` means, put together."""
    base = selection.name.removesuffix("_count")
    buckets: dict[float, int] = {}
    total, count = 0.0, 0
    for item in readings:
        if any(item.labels.get(name) != value for name, value in selection.labels.items()):
            continue
        if item.name == f"{base}_bucket":
            bound = float(item.labels["le"])
            buckets[bound] = buckets.get(bound, 0) + int(item.value)
        elif item.name == f"{base}_sum":
            total += item.value
        elif item.name == f"{base}_count":
            count += int(item.value)
    return Distribution(count, total, dict(sorted(buckets.items())))


def single(selection: Selection, readings: list[Reading]) -> float:
    """Return the value of what is meant: a sum for what counts, the one series of a gauge.

    Raises `AssertionError` when a gauge has no such series or several.
    """
    found = selection.of(readings)
    if not isinstance(selection.signal, Gauge):
        return math.fsum(item.value for item in found)
    if len(found) == 1:
        return found[0].value
    __tracebackhide__ = True
    others = [item for item in readings if item.name == selection.name]
    lines = [f"    {item}" for item in (found or others)[:10]] or ["    none"]
    problem = "several series match" if found else "no series matches"
    raise AssertionError(
        "\n".join([f"{selection.described()}: {problem}", "  series that there are:", *lines])
    )


def _signal(named: Named, readings: list[Reading]) -> Signal | None:
    if isinstance(named, Signal):
        return named
    if not isinstance(named, str):
        signal = getattr(named, "signal", None)
        if not isinstance(signal, Signal):
            raise UnknownSignal(f"got {named!r}, expected a signal, a handle, an id or the name of a metric")
        return signal
    registry: Any = instruments._registry  # noqa: SLF001 - the kit reads what the runtime knows
    if named in registry:
        return registry.find(named)  # type: ignore[no-any-return]
    names = {item.name for item in readings}
    if named in names:
        return None
    known = [signal.id for signal in registry]
    raise UnknownSignal(
        f"no signal and no metric is called {named!r}",
        hint=suggest(named, known) or suggest(named, names),
    )


def _series_name(signal: Signal, dialect: Dialect) -> str:
    registry: Any = instruments._registry  # noqa: SLF001
    if isinstance(signal, Counter) and signal.counted_by and not (dialect == "classic" and signal.classic):
        return f"{registry.find(signal.counted_by).named(dialect)}_count"
    name = signal.named(dialect)
    return f"{name}_count" if isinstance(signal, Histogram) else name


def _labels(owner: str, given: Mapping[str, object], known: Mapping[str, str]) -> dict[str, str]:
    labels = {}
    for name, value in given.items():
        if name not in known:
            near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
            expected = ", ".join(dict.fromkeys(known.values())) or "no labels"
            raise UnknownSignal(
                f"{owner} has no label {name!r}, expected {expected}",
                hint=f"did you mean {near[0]!r}?" if near else None,
            )
        labels[known[name]] = str(value)
    return labels


def _dialect() -> Dialect:
    settings = live.settings()
    return settings.dialect if settings is not None else "otel"
