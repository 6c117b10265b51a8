"""Which metric tells the version of a service: that of the SDK, or what an engine tells about itself."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from obs.catalogue import Gauge
from obs.catalogue.engines import alertmanager, loki, prometheus, tempo
from obs.catalogue.self import BUILD, VERSION
from obs.generate.derive.guidance.queries import Queries
from obs.generate.model import Service

#: What is not built with the SDK: capability -> its own metric. The collector tells its version in no metric.
_ENGINES: Mapping[str, Gauge | None] = MappingProxyType(
    {
        "alertmanager": alertmanager.BUILD,
        "collector": None,
        "loki": loki.BUILD,
        "prometheus": prometheus.BUILD,
        "tempo": tempo.BUILD,
    }
)


def build_of(service: Service) -> Gauge | None:
    """Return the metric whose labels tell the version of `service`; None where nothing does."""
    if not service.capabilities or not set(service.capabilities) <= set(_ENGINES):
        return BUILD
    return next((build for name in service.capabilities if (build := _ENGINES[name]) is not None), None)


def versions(ask: Queries, *by: str) -> str | None:
    """Return how many instances run which version, split `by` labels too; None where nothing tells."""
    build = build_of(ask.service)
    return None if build is None else _count(ask, build, by, ask.series(build))


def new_versions(ask: Queries, *by: str) -> str | None:
    """Return the versions that did not run in the ten minutes before; None where nothing tells them."""
    build = build_of(ask.service)
    if build is None:
        return None
    built = ask.series(build)
    before = _count(ask, build, by, f"last_over_time({built}[10m] offset 2m)")
    return f"{_count(ask, build, by, built)} unless {before}"


def version_label(ask: Queries) -> str:
    """Return the label that holds the version."""
    return ask.label(build_of(ask.service) or BUILD, VERSION.name)


def _count(ask: Queries, build: Gauge, by: tuple[str, ...], series: str) -> str:
    return f"count by ({', '.join((*by, ask.label(build, VERSION.name)))}) ({series})"
