"""The capability `grpc`."""

from __future__ import annotations

from obs.generate.derive.capabilities.capability import Capability, Entry
from obs.generate.derive.capabilities.grpc import alerts, guide, panels

CAPABILITY = Capability(
    name="grpc",
    category="grpc",
    alerts=(
        Entry(
            "GrpcErrorRatioHigh",
            alerts.ERRORS_HIGH,
            alerts.error_ratio_high,
            "grpc-errors",
            guide.error_ratio_high,
        ),
        Entry(
            "GrpcLatencyP99High",
            alerts.LATENCY_HIGH,
            alerts.latency_p99_high,
            "grpc-latency",
            guide.latency_high,
        ),
    ),
    row=panels.row,
    golden=panels.golden,
    headline=panels.headline,
)
