"""Answer a scrape: our metrics and the host's, in the format and encoding that was asked for."""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from typing import NamedTuple

from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.core import Metric
from prometheus_client.exposition import choose_encoder

from obs.runtime import guard


class Answer(NamedTuple):
    """The body of a scrape and the headers that describe it."""

    body: bytes
    content_type: str
    encoding: str


class _Union:
    """Our registry and the host's default one; each metric name once, ours first."""

    def __init__(self, ours: CollectorRegistry, *, created: bool) -> None:
        self._ours = ours
        self._created = created

    def collect(self) -> Iterable[Metric]:
        names = set()
        for metric in self._ours.collect():
            names.add(metric.name)
            yield self._fit(metric)
        for metric in _host():
            if metric.name not in names:
                names.add(metric.name)
                yield self._fit(metric)

    def _fit(self, metric: Metric) -> Metric:
        """Leave out `_created` where it would be a series of its own instead of a property."""
        suffix = f"{metric.name}_created"
        if self._created or metric.type not in {"counter", "histogram", "summary"}:
            return metric
        fitted = Metric(metric.name, metric.documentation, metric.type, metric.unit)
        fitted.samples = [sample for sample in metric.samples if sample.name != suffix]
        return fitted


def _host() -> list[Metric]:
    """Collect the host's registry; a collector of its that fails must not cost us our scrape."""
    with guard.contained("metrics"):
        return list(REGISTRY.collect())
    return []


def answer(ours: CollectorRegistry, accept: str, accept_encoding: str) -> Answer:
    """Return the metrics as OpenMetrics or plain text, after `accept`, gzipped when allowed."""
    try:
        encode, content_type = choose_encoder(accept)
    except (TypeError, ValueError):
        # A version that is no number, from whoever sent this header.
        encode, content_type = choose_encoder("")
    openmetrics = content_type.startswith("application/openmetrics-text")
    body = encode(_Union(ours, created=openmetrics))
    if _allows_gzip(accept_encoding):
        return Answer(gzip.compress(body, compresslevel=1), content_type, "gzip")
    return Answer(body, content_type, "")


def _allows_gzip(accept_encoding: str) -> bool:
    for item in accept_encoding.lower().split(","):
        coding, _, quality = item.strip().partition(";")
        if coding.strip() == "gzip":
            return quality.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False
