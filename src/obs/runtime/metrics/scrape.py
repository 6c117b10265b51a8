"""Answer a scrape: our metrics and the host's, in the format and encoding that was asked for."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterable
from functools import partial
from typing import NamedTuple, Protocol

from prometheus_client.core import Metric
from prometheus_client.exposition import choose_encoder

from obs.runtime.metrics import host, render

#: Ways to write names that leave ours as they are; for the others the stock renderer has to do it.
_PLAIN_NAMES = frozenset({"underscores", "allow-utf-8"})


class Source(Protocol):
    """What is shown: our metrics, of this process or of its whole group."""

    def view(self) -> tuple[render.Snapshot, Iterable[Metric]]:
        """Return our series, and what obs says of itself and of the process."""


class Answer(NamedTuple):
    """The body of a scrape and the headers that describe it."""

    body: bytes
    content_type: str
    encoding: str


class _Foreign:
    """Metrics that others have collected, without those in `names`; each name once."""

    def __init__(self, metrics: Iterable[Metric], names: set[str], *, created: bool) -> None:
        self._metrics, self._names, self._created = metrics, names, created

    def collect(self) -> Iterable[Metric]:
        for metric in self._metrics:
            if metric.name not in self._names:
                self._names.add(metric.name)
                yield self._fit(metric)

    def _fit(self, metric: Metric) -> Metric:
        """Leave out `_created` where it would be a series of its own instead of a property."""
        suffix = f"{metric.name}_created"
        if self._created or metric.type not in {"counter", "histogram", "summary"}:
            return metric
        fitted = Metric(metric.name, metric.documentation, metric.type, metric.unit)
        fitted.samples = [sample for sample in metric.samples if sample.name != suffix]
        return fitted


def answer(source: Source, accept: str, accept_encoding: str) -> Answer:
    """Return the metrics as OpenMetrics or plain text, after `accept`, gzipped when allowed."""
    try:
        encode, content_type = choose_encoder(accept)
    except (TypeError, ValueError):
        # A version that is no number, from whoever sent this header.
        encode, content_type = choose_encoder("")
    body = _write(source, encode, openmetrics=content_type.startswith("application/openmetrics-text"))
    if _allows_gzip(accept_encoding):
        return Answer(gzip.compress(body, compresslevel=1), content_type, "gzip")
    return Answer(body, content_type, "")


def _write(source: Source, encode: Callable[[_Foreign], bytes], *, openmetrics: bool) -> bytes:
    snapshot, own = source.view()
    names = {family.definition.name for family, _ in snapshot.families}
    if _keeps_names(encode):
        ours = (render.openmetrics if openmetrics else render.text)(snapshot).encode()
        others = [*own, *host.collect()]
        return ours + encode(_Foreign(others, names, created=openmetrics))
    everything = [*render.metrics(snapshot), *own, *host.collect()]
    return encode(_Foreign(everything, set(), created=openmetrics))


def _keeps_names(encode: Callable[[_Foreign], bytes]) -> bool:
    return not isinstance(encode, partial) or encode.keywords.get("escaping") in _PLAIN_NAMES


def _allows_gzip(accept_encoding: str) -> bool:
    for item in accept_encoding.lower().split(","):
        coding, _, quality = item.strip().partition(";")
        if coding.strip() == "gzip":
            return quality.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False
