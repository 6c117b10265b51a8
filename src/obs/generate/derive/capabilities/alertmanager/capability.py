"""Alertmanager: alerts on what it cannot deliver and on its configuration."""

from __future__ import annotations

from obs.generate.derive.capabilities.alertmanager import alerts, guide, panels
from obs.generate.derive.capabilities.capability import Capability, Entry

CAPABILITY = Capability(
    name="alertmanager",
    category="telemetry",
    alerts=(
        Entry(
            "AlertmanagerNotifyFailing",
            alerts.NOTIFY_FAILING,
            alerts.notify_failing,
            "alertmanager-failures",
            guide.notify_failing,
        ),
        Entry(
            "AlertmanagerConfigReloadFailed",
            alerts.RELOAD_FAILED,
            alerts.config_reload_failed,
            "alertmanager-reload",
            guide.config_reload_failed,
        ),
    ),
    row=panels.row,
)
