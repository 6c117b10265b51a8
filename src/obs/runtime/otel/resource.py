"""What spans and log records say of the process that they come from."""

from __future__ import annotations

import os
from typing import Any
from uuid import uuid4

from obs._version import __version__
from obs.runtime.settings import Settings

_instance = (0, "")


def attributes(settings: Settings) -> dict[str, Any]:
    """Return the resource of this process, the same for spans and log records."""
    return {
        **settings.resource,
        "telemetry.sdk.language": "python",
        "telemetry.sdk.name": "obs",
        "telemetry.sdk.version": __version__,
        "service.name": settings.service,
        "service.instance.id": _instance_id(),
        "process.pid": os.getpid(),
        **({"service.version": settings.version} if settings.version else {}),
        **({"deployment.environment.name": settings.environment} if settings.environment else {}),
    }


def _instance_id() -> str:
    """Return what tells this process from every other; a forked child has its own."""
    global _instance
    pid, text = _instance
    if pid != os.getpid():
        pid, text = _instance = (os.getpid(), str(uuid4()))
    return text
