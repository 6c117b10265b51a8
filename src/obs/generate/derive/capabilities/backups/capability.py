"""Backups: alerts on those that are old, unheard of, or suddenly small."""

from __future__ import annotations

from obs.generate.derive.capabilities.backups import alerts, guide, panels
from obs.generate.derive.capabilities.capability import Capability, Entry

CAPABILITY = Capability(
    name="backups",
    category="backups",
    alerts=(
        Entry("BackupStale", alerts.STALE, alerts.stale, "backups-age", guide.stale, slow=True),
        Entry("BackupMetricMissing", alerts.MISSING, alerts.missing, "backups-age", guide.missing, slow=True),
        Entry("BackupShrank", alerts.SHRANK, alerts.shrank, "backups-size", guide.shrank, slow=True),
    ),
    row=panels.row,
)
