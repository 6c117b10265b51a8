"""Loki: alerts on requests that fail and lines that it refuses."""

from __future__ import annotations

from obs.generate.derive.capabilities.capability import Capability, Entry
from obs.generate.derive.capabilities.loki import alerts, guide, panels

CAPABILITY = Capability(
    name="loki",
    category="telemetry",
    alerts=(
        Entry(
            "LokiRequestErrors",
            alerts.REQUEST_ERRORS,
            alerts.request_errors,
            "loki-errors",
            guide.request_errors,
        ),
        Entry(
            "LokiLinesDiscarded",
            alerts.LINES_REFUSED,
            alerts.lines_discarded,
            "loki-discarded",
            guide.lines_discarded,
        ),
    ),
    row=panels.row,
)
