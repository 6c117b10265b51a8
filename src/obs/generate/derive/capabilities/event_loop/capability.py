"""The capability `event_loop`."""

from __future__ import annotations

from obs.generate.derive.capabilities.capability import Capability, Entry
from obs.generate.derive.capabilities.event_loop import alerts, guide, panels

CAPABILITY = Capability(
    name="event_loop",
    category="process",
    alerts=(Entry("EventLoopLagHigh", alerts.LAG_HIGH, alerts.lag_high, "event-loop-lag", guide.lag_high),),
    row=panels.row,
)
