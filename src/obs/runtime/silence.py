"""Settings with every exporter off: a test run sends nothing out, whatever the environment says."""

from __future__ import annotations

from typing import Any

from obs.runtime.settings import Settings

#: Setting -> its value while nothing is sent out, nor shared with the processes of a real service.
_OFF: dict[str, Any] = {
    "otlp_endpoint": "",
    "traces_endpoint": "",
    "logs_endpoint": "",
    "metrics_endpoint": "",
    "metrics_dir": "",
    "otlp_logs": "off",
    "sentry_dsn": "",
    "sentry_dsn_file": "",
}


def without_exporters(settings: Settings) -> tuple[Settings, tuple[str, ...]]:
    """Return `settings` that send nothing out, and the names of those that would have."""
    changed = {name: off for name, off in _OFF.items() if getattr(settings, name) != off}
    return (settings.replaced(**changed) if changed else settings), tuple(changed)
