"""Every capability there is, in the order in which people read of them: one line a folder."""

from __future__ import annotations

from obs.generate.derive.capabilities.alertmanager.capability import CAPABILITY as ALERTMANAGER
from obs.generate.derive.capabilities.backups.capability import CAPABILITY as BACKUPS
from obs.generate.derive.capabilities.business.capability import CAPABILITY as BUSINESS
from obs.generate.derive.capabilities.cache.capability import CAPABILITY as CACHE
from obs.generate.derive.capabilities.capability import Capability, Entry, Guide, JobEntry
from obs.generate.derive.capabilities.collector.capability import CAPABILITY as COLLECTOR
from obs.generate.derive.capabilities.database.capability import CAPABILITY as DATABASE
from obs.generate.derive.capabilities.event_loop.capability import CAPABILITY as EVENT_LOOP
from obs.generate.derive.capabilities.exceptions.capability import CAPABILITY as EXCEPTIONS
from obs.generate.derive.capabilities.grpc.capability import CAPABILITY as GRPC
from obs.generate.derive.capabilities.http.capability import CAPABILITY as HTTP
from obs.generate.derive.capabilities.indexer.capability import CAPABILITY as INDEXER
from obs.generate.derive.capabilities.jobs.capability import CAPABILITY as JOBS
from obs.generate.derive.capabilities.logs.capability import CAPABILITY as LOGS
from obs.generate.derive.capabilities.loki.capability import CAPABILITY as LOKI
from obs.generate.derive.capabilities.probes.capability import CAPABILITY as PROBES
from obs.generate.derive.capabilities.process.capability import CAPABILITY as PROCESS
from obs.generate.derive.capabilities.prometheus.capability import CAPABILITY as PROMETHEUS
from obs.generate.derive.capabilities.queue.capability import CAPABILITY as QUEUE
from obs.generate.derive.capabilities.resilience.capability import CAPABILITY as RESILIENCE
from obs.generate.derive.capabilities.sdk.capability import CAPABILITY as SDK
from obs.generate.derive.capabilities.security.capability import CAPABILITY as SECURITY
from obs.generate.derive.capabilities.targets.capability import CAPABILITY as TARGETS
from obs.generate.derive.capabilities.tasks.capability import CAPABILITY as TASKS
from obs.generate.derive.capabilities.tempo.capability import CAPABILITY as TEMPO
from obs.generate.derive.capabilities.tls.capability import CAPABILITY as TLS
from obs.generate.derive.capabilities.websocket.capability import CAPABILITY as WEBSOCKET
from obs.generate.model import Service

REGISTRY: tuple[Capability, ...] = (
    HTTP,
    GRPC,
    WEBSOCKET,
    DATABASE,
    CACHE,
    QUEUE,
    TASKS,
    JOBS,
    RESILIENCE,
    EXCEPTIONS,
    PROCESS,
    EVENT_LOOP,
    SDK,
    LOGS,
    TLS,
    PROBES,
    BACKUPS,
    SECURITY,
    BUSINESS,
    INDEXER,
    PROMETHEUS,
    ALERTMANAGER,
    LOKI,
    TEMPO,
    COLLECTOR,
    TARGETS,
)


def of(service: Service) -> tuple[Capability, ...]:
    """Return what `service` can do: what its spec names, and what every service has."""
    return tuple(
        capability for capability in REGISTRY if capability.always or capability.name in service.capabilities
    )


def entries() -> dict[str, tuple[Capability, Entry | JobEntry]]:
    """Return every alert of every capability by its name."""
    found: dict[str, tuple[Capability, Entry | JobEntry]] = {}
    for capability in REGISTRY:
        found |= {entry.name: (capability, entry) for entry in capability.alerts}
        found |= {entry.name: (capability, entry) for entry in capability.job_alerts}
    return found


def guides() -> dict[str, Guide]:
    """Return the guide of every alert."""
    return {name: entry.guide for name, (_, entry) in entries().items()}
