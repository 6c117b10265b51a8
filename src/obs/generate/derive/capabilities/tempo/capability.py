"""Tempo: an alert on spans that it refuses."""

from __future__ import annotations

from obs.generate.derive.capabilities.capability import Capability, Entry
from obs.generate.derive.capabilities.tempo import alerts, guide, panels

CAPABILITY = Capability(
    name="tempo",
    category="telemetry",
    alerts=(
        Entry(
            "TempoSpansDiscarded",
            alerts.SPANS_REFUSED,
            alerts.spans_discarded,
            "tempo-discarded",
            guide.spans_discarded,
        ),
    ),
    row=panels.row,
)
