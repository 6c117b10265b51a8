"""What every service has: targets that Prometheus scrapes."""

from __future__ import annotations

from obs.generate.derive.capabilities.capability import Capability, Entry
from obs.generate.derive.capabilities.targets import alerts, guide, panels

CAPABILITY = Capability(
    name="targets",
    category="targets",
    alerts=(Entry("TargetDown", alerts.DOWN, alerts.target_down, "targets-up", guide.target_down),),
    row=panels.row,
    always=True,
)
