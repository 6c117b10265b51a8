"""The collector: alerts on what it refuses, holds and loses."""

from __future__ import annotations

from obs.generate.derive.capabilities.capability import Capability, Entry
from obs.generate.derive.capabilities.collector import alerts, guide, panels

CAPABILITY = Capability(
    name="collector",
    category="telemetry",
    alerts=(
        Entry(
            "CollectorExportFailing",
            alerts.EXPORT_FAILING,
            alerts.export_failing,
            "collector-failed",
            guide.export_failing,
        ),
        Entry(
            "CollectorDroppingData",
            alerts.DROPPING_DATA,
            alerts.dropping_data,
            "collector-dropped",
            guide.dropping_data,
        ),
        Entry(
            "CollectorQueueNearlyFull",
            alerts.QUEUE_NEARLY_FULL,
            alerts.queue_nearly_full,
            "collector-queue",
            guide.queue_nearly_full,
        ),
        Entry(
            "CollectorRefusingData",
            alerts.REFUSING_DATA,
            alerts.refusing_data,
            "collector-refused",
            guide.refusing_data,
        ),
        Entry(
            "CollectorMaskedSecrets",
            alerts.MASKED_SECRETS,
            alerts.masked_secrets,
            "collector-masked",
            guide.masked_secrets,
        ),
    ),
    row=panels.row,
)
