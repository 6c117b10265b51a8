"""What Prometheus itself says about a target that it scrapes."""

from __future__ import annotations

from obs.catalogue.signal import Gauge

UP = Gauge(
    id="target.up",
    metric="up",
    help="1 when the last scrape of the target worked, else 0.",
    stability="stable",
    origin="target",
)
SCRAPE_DURATION = Gauge(
    id="target.scrape.duration",
    metric="scrape_duration_seconds",
    help="How long the last scrape of the target took.",
    unit="s",
    stability="stable",
    origin="target",
)
SCRAPE_SAMPLES = Gauge(
    id="target.scrape.samples",
    metric="scrape_samples_post_metric_relabeling",
    help="Samples kept from the last scrape of the target.",
    unit="{sample}",
    stability="stable",
    origin="target",
)

SIGNALS = (UP, SCRAPE_DURATION, SCRAPE_SAMPLES)
