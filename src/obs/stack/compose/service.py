"""What Compose tells of the services that run."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

#: States that `obs stack status` shows for both runtimes.
READY, STARTING, UNREADY, STOPPED = "ready", "starting", "unready", "stopped"


@dataclass(frozen=True)
class ServiceStatus:
    """One service: its state, the addresses on this machine's loopback, its image, and its container.

    `state` is ready, starting, unready (it runs and its probe fails) or stopped.
    """

    name: str
    state: str
    urls: tuple[str, ...]
    image: str
    container: str


def parse(printed: str) -> list[ServiceStatus]:
    """Return the services in the output of `docker compose ps --format json`: objects, or a list of them."""
    entries: list[Mapping[str, Any]] = []
    for line in printed.splitlines():
        if line.strip():
            value = json.loads(line)
            entries += value if isinstance(value, list) else [value]
    return sorted(map(_status, entries), key=lambda one: one.name)


def _status(entry: Mapping[str, Any]) -> ServiceStatus:
    urls = dict.fromkeys(
        f"{publisher['URL']}:{publisher['PublishedPort']}"
        for publisher in entry.get("Publishers") or ()
        if publisher.get("PublishedPort")
    )
    return ServiceStatus(
        entry["Service"], _state(entry), tuple(urls), entry.get("Image", ""), entry.get("Name", "")
    )


def _state(entry: Mapping[str, Any]) -> str:
    if entry.get("State") not in ("running", "restarting"):
        return STOPPED
    if entry.get("State") == "restarting":
        return UNREADY
    health = entry.get("Health") or "healthy"
    return {"healthy": READY, "starting": STARTING}.get(health, UNREADY)


def not_ready(services: Iterable[ServiceStatus]) -> list[str]:
    """Return the names of the services that are not ready."""
    return [service.name for service in services if service.state != READY]
