"""Queries -> a contract of the metrics that they read, as far as queries tell what these are."""

from __future__ import annotations

import re
from collections.abc import Iterable

from obs.catalogue import Counter, Gauge, Histogram, Label, Signal
from obs.catalogue.signal import SECONDS_BUCKETS, TARGET_LABELS
from obs.generate.derive.promql.syntax import Selector

_PARTS = ("_bucket", "_count", "_sum")
_RESERVED = frozenset({*TARGET_LABELS, "le", "quantile"})


def declared(selectors: Iterable[Selector], grouped: Iterable[str] = ()) -> list[Signal]:
    """Return a signal for each metric, with the labels that it is matched on, and those it is `grouped` by.

    Raises `ConfigError` for names that no contract may hold.
    """
    labels: dict[str, set[str]] = {}
    bounds: dict[str, set[float]] = {}
    timed: set[str] = set()
    for selector in selectors:
        part = next((end for end in _PARTS if selector.metric.endswith(end)), "")
        name = selector.metric.removesuffix(part)
        timed |= {name} if part else set()
        labels.setdefault(name, set()).update(matcher.label for matcher in selector.matchers)
        for matcher in selector.matchers:
            if matcher.label == "le" and re.fullmatch(r"\d+(?:\.\d+)?", matcher.value):
                bounds.setdefault(name, set()).add(float(matcher.value))
    return [
        _signal(name, labels[name] | set(grouped), bounds.get(name, set()), timed=name in timed)
        for name in sorted(labels)
    ]


def _signal(name: str, labels: Iterable[str], bounds: Iterable[float], *, timed: bool) -> Signal:
    id_ = f"imported.{name.lower()}"
    known = tuple(Label(label) for label in sorted(labels) if label not in _RESERVED)
    said = "Read by an imported objective."
    if timed:
        unit = "s" if name.endswith("_seconds") else "1"
        return Histogram(
            id_, name, said, unit=unit, labels=known, buckets=tuple(sorted(bounds)) or SECONDS_BUCKETS
        )
    if name.endswith("_total"):
        return Counter(id_, name, said, labels=known)
    return Gauge(id_, name, said, labels=known)
