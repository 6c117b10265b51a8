"""The capability `websocket`."""

from __future__ import annotations

from obs.generate.derive.capabilities.capability import Capability, Entry
from obs.generate.derive.capabilities.websocket import alerts, guide, panels

CAPABILITY = Capability(
    name="websocket",
    category="websocket",
    alerts=(
        Entry("WebsocketFailureRatioHigh", alerts.FAILURES_HIGH, alerts.failure_ratio_high, "websocket-failures", guide.failure_ratio_high),
    ),
    row=panels.row,
    golden=panels.golden,
)  # fmt: skip
