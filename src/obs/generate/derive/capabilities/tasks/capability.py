"""The capability `tasks`."""

from __future__ import annotations

from obs.generate.derive.capabilities.capability import Capability, Entry
from obs.generate.derive.capabilities.tasks import alerts, guide, panels

CAPABILITY = Capability(
    name="tasks",
    category="tasks",
    alerts=(
        Entry("TaskFailureRatioHigh", alerts.FAILURES_HIGH, alerts.failure_ratio_high, "tasks-failures", guide.failure_ratio_high),
        Entry("TaskWaitsLong", alerts.WAITS_LONG, alerts.waits_long, "tasks-waits", guide.waits_long),
    ),
    row=panels.row,
    golden=panels.golden,
    headline=panels.headline,
)  # fmt: skip
