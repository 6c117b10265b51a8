"""Which names are legal, and how a dotted convention name becomes a Prometheus one.

The translation follows the OpenTelemetry specification "Prometheus and OpenMetrics
compatibility": dots to underscores, the unit as suffix, ``_total`` on counters, ``_ratio`` on
gauges with unit 1. The catalogue writes names out in full, for grep; a test holds them against
these functions.
"""

from __future__ import annotations

import math
import re

from obs.catalogue.signal import TARGET_LABELS, Counter, Gauge, Histogram, Signal
from obs.errors import ConfigError

_METRIC = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*\Z")
_ID = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*\Z")
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*\Z")
_RESERVED_LABELS = frozenset({"le", "quantile", "__name__"})

#: UCUM unit -> suffix of the Prometheus name.
UNIT_SUFFIX = {"s": "seconds", "By": "bytes", "ms": "milliseconds", "m": "meters", "Cel": "celsius"}


def prometheus_name(convention: str, signal: Signal) -> str:
    """Translate a dotted convention name (``http.server.request.duration``) for `signal`'s kind."""
    name = convention.replace(".", "_")
    suffix = UNIT_SUFFIX.get(signal.unit)
    if suffix and not name.endswith(f"_{suffix}"):
        name = f"{name}_{suffix}"
    if isinstance(signal, Gauge) and signal.unit == "1" and not name.endswith("_ratio"):
        name = f"{name}_ratio"
    if isinstance(signal, Counter) and not name.endswith("_total"):
        name = f"{name}_total"
    return name


def check_signal(signal: Signal) -> None:
    """Raise `ConfigError` when `signal` could not be emitted, stored or queried safely."""
    if not _ID.match(signal.id):
        raise _refusal(signal, "an id is lower-case words joined by dots")
    help_: object = signal.help
    if not isinstance(help_, str):
        # Found out only at a scrape, it would cost the scrape.
        raise _refusal(signal, f"got help {help_!r}, expected text")
    for name in filter(None, (signal.metric, signal.classic)):
        _check_metric(signal, name)
    _check_labels(signal)
    if isinstance(signal, Histogram):
        _check_buckets(signal)


def _refusal(signal: Signal, message: str, hint: str | None = None) -> ConfigError:
    return ConfigError(f"signal {signal.id!r}: {message}", hint=hint)


def _check_metric(signal: Signal, name: str) -> None:
    counted = isinstance(signal, Counter) and bool(signal.counted_by)
    if not _METRIC.match(name):
        raise _refusal(signal, f"{name!r} is no metric name: lower-case words joined by underscores")
    if isinstance(signal, Counter) and not counted and not name.endswith("_total"):
        raise _refusal(signal, f"counter {name!r} must end in _total", hint=f"{name}_total")
    if not isinstance(signal, Counter) and name.endswith("_total"):
        raise _refusal(signal, f"{name!r} ends in _total, which is for counters only")
    if not counted and name.endswith(("_bucket", "_count", "_sum", "_created")):
        raise _refusal(signal, f"{name!r} ends in a suffix that histograms reserve")


def _check_labels(signal: Signal) -> None:
    names = [label.named() for label in signal.labels]
    for name in names:
        if not _LABEL.match(name) or name.startswith("__"):
            raise _refusal(signal, f"{name!r} is no label name")
        if name in _RESERVED_LABELS:
            raise _refusal(signal, f"label {name!r} is reserved by Prometheus")
        if name in TARGET_LABELS:
            raise _refusal(
                signal,
                f"label {name!r} belongs to the target, not to a signal",
                hint="Prometheus adds service, environment, instance and job when it scrapes",
            )
    if len(set(names)) != len(names):
        raise _refusal(signal, "has the same label twice")


def _check_buckets(signal: Histogram) -> None:
    bounds = signal.buckets
    if not bounds or any(map(math.isnan, bounds)) or list(bounds) != sorted(set(bounds)):
        raise _refusal(signal, "bucket bounds must ascend and not repeat")
    if bounds[-1] == float("inf"):
        raise _refusal(signal, "+Inf is added by the writer, leave it out")
