"""The capability `http`."""

from __future__ import annotations

from obs.generate.derive.capabilities.capability import Capability, Entry
from obs.generate.derive.capabilities.http import alerts, guide, outgoing, outgoing_guide, panels, traffic

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
        Entry(
            "HttpInFlightSaturated",
            alerts.IN_FLIGHT,
            alerts.in_flight_saturated,
            "http-active",
            guide.in_flight_saturated,
        ),
        Entry(
            "PrivilegeDeniedSpike",
            alerts.DENIED,
            alerts.privilege_denied,
            "http-denied",
            guide.privilege_denied,
        ),
        Entry(
            "HttpClientErrorRatioHigh",
            outgoing.ERRORS_HIGH,
            outgoing.client_error_ratio_high,
            "http-client-error-ratio",
            outgoing_guide.client_error_ratio_high,
        ),
        Entry(
            "DependencyTimeouts",
            outgoing.TIMEOUTS,
            outgoing.dependency_timeouts,
            "http-client-timeouts",
            outgoing_guide.dependency_timeouts,
        ),
    ),
    row=panels.row,
    golden=panels.golden,
    headline=panels.headline,
)
