"""The capability `cache`."""

from __future__ import annotations

from obs.generate.derive.capabilities.cache import alerts, evictions, guide, panels
from obs.generate.derive.capabilities.capability import Capability, Entry

CAPABILITY = Capability(
    name="cache",
    category="cache",
    alerts=(
        Entry("CacheHitRatioLow", alerts.HIT_RATIO_LOW, alerts.hit_ratio_low, "cache-hits", guide.hit_ratio_low),
        Entry("CacheErrors", alerts.ERRORS, alerts.errors, "cache-errors", guide.errors),
        Entry("CacheEvictionStorm", evictions.STORM, evictions.eviction_storm, "cache-evictions", guide.eviction_storm, slow=True),
    ),
    row=panels.row,
)  # fmt: skip
