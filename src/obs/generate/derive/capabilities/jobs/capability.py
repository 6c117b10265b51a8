"""The capability `jobs`."""

from __future__ import annotations

from obs.generate.derive.capabilities.capability import Capability, Entry, JobEntry
from obs.generate.derive.capabilities.jobs import alerts, guide, panels, scheduled

CAPABILITY = Capability(
    name="jobs",
    category="jobs",
    alerts=(
        Entry(
            "JobFailureRatioHigh",
            alerts.FAILURES_HIGH,
            alerts.failure_ratio_high,
            "jobs-failures",
            guide.failure_ratio_high,
            slow=True,
        ),
    ),
    job_alerts=(
        JobEntry("JobNotRunning", scheduled.NOT_RUNNING, scheduled.not_running, "jobs-last-success", guide.not_running),
        JobEntry("JobNotDeclared", scheduled.NOT_DECLARED, scheduled.not_declared, "jobs-runs", guide.not_declared),
    ),
    row=panels.row,
    golden=panels.golden,
    headline=panels.headline,
)  # fmt: skip
