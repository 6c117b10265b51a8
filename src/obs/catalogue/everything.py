"""Every signal that obs has a name for: the SDK's own, those of engines and exporters, and conventions.

Only the toolchain asks for these: a running service loads the SDK's own (`obs.catalogue.registry`).
"""

from __future__ import annotations

from obs.catalogue import registry, target
from obs.catalogue.conventions import backups, business, indexer, security
from obs.catalogue.engines import alertmanager, collector, loki, prometheus, tempo
from obs.catalogue.exporters import blackbox
from obs.catalogue.registry import Registry
from obs.catalogue.signal import Signal

#: Engine or exporter -> its signals: there whatever a service declares, for they come from elsewhere.
PLATFORM: dict[str, tuple[Signal, ...]] = {
    "prometheus": prometheus.SIGNALS,
    "alertmanager": alertmanager.SIGNALS,
    "loki": loki.SIGNALS,
    "tempo": tempo.SIGNALS,
    "collector": collector.SIGNALS,
    "blackbox": blackbox.SIGNALS,
}
#: Domain -> signals that a service counts itself, under names that alerts know.
CONVENTIONS: dict[str, tuple[Signal, ...]] = {
    "security": security.SIGNALS,
    "business": business.SIGNALS,
    "indexer": indexer.SIGNALS,
    "backups": backups.SIGNALS,
}
#: Domain -> its signals, in the order they are listed to people.
DOMAINS: dict[str, tuple[Signal, ...]] = {**registry.DOMAINS, **CONVENTIONS, **PLATFORM}


def everything() -> Registry:
    """Return a new registry of every signal that obs has a name for."""
    return Registry(signal for signals in DOMAINS.values() for signal in signals)


def with_platform(declared: Registry) -> Registry:
    """Return what a service has `declared` together with what scrapes, engines and exporters tell.

    What a service declares wins: an id that it uses itself means what it says.
    """
    taken = {name for signal in declared for name in (signal.metric, signal.classic)}
    return Registry(
        [
            *declared,
            *(
                signal
                for signals in (target.SIGNALS, *PLATFORM.values())
                for signal in signals
                if signal.id not in declared and signal.metric not in taken
            ),
        ]
    )
