"""What every service has: targets that Prometheus scrapes."""

from __future__ import annotations

from obs.generate.derive.capabilities.capability import Capability, Entry
from obs.generate.derive.capabilities.targets import alerts, guide, panels, scrapes, scrapes_guide

CAPABILITY = Capability(
    name="targets",
    category="targets",
    alerts=(
        Entry("TargetDown", alerts.DOWN, alerts.target_down, "targets-up", guide.target_down),
        Entry(
            "JobAllTargetsDown",
            scrapes.ALL_DOWN,
            scrapes.all_targets_down,
            "targets-up",
            scrapes_guide.all_targets_down,
        ),
        Entry("ScrapeSlow", scrapes.SLOW, scrapes.scrape_slow, "targets-scrape", scrapes_guide.scrape_slow),
        Entry(
            "ScrapeSeriesJump",
            scrapes.JUMP,
            scrapes.series_jump,
            "targets-samples",
            scrapes_guide.series_jump,
            slow=True,
        ),
    ),
    row=panels.row,
    always=True,
)
