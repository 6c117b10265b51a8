"""The capability `queue`."""

from __future__ import annotations

from obs.generate.derive.capabilities.capability import Capability, Entry
from obs.generate.derive.capabilities.queue import alerts, guide, panels

CAPABILITY = Capability(
    name="queue",
    category="queue",
    alerts=(
        Entry("QueueBacklogGrowing", alerts.BACKLOG, alerts.backlog_growing, "queue-depth", guide.backlog_growing),
        Entry("QueueOldestMessageStale", alerts.STALE, alerts.oldest_stale, "queue-oldest", guide.oldest_stale),
        Entry("DeadLetterNotEmpty", alerts.DEAD, alerts.dead_letters, "queue-dead", guide.dead_letters),
        Entry("MessageProcessingSlow", alerts.SLOW, alerts.processing_slow, "queue-processing", guide.processing_slow),
    ),
    row=panels.row,
    golden=panels.golden,
    headline=panels.headline,
)  # fmt: skip
