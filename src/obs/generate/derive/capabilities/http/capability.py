"""The capability `http`."""

from __future__ import annotations

from obs.generate.derive.capabilities.capability import Capability, Entry
from obs.generate.derive.capabilities.http import alerts, guide, panels, traffic

CAPABILITY = Capability(
    name="http",
    category="http",
    alerts=(
        Entry(
            "HttpErrorRatioHigh",
            alerts.ERRORS_HIGH,
            alerts.error_ratio_high,
            "http-errors",
            guide.error_ratio_high,
        ),
        Entry(
            "HttpErrorRatioElevated",
            alerts.ERRORS_ELEVATED,
            alerts.error_ratio_elevated,
            "http-errors",
            guide.error_ratio_elevated,
        ),
        Entry(
            "HttpLatencyP99High",
            alerts.LATENCY_HIGH,
            alerts.latency_p99_high,
            "http-latency",
            guide.latency_high,
        ),
        Entry(
            "HttpTrafficDropped",
            traffic.DROPPED,
            traffic.traffic_dropped,
            "http-traffic",
            guide.traffic_dropped,
            slow=True,
        ),
    ),
    row=panels.row,
    golden=panels.golden,
)
