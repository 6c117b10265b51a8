"""The capability `exceptions`."""

from __future__ import annotations

from obs.generate.derive.capabilities.capability import Capability, Entry
from obs.generate.derive.capabilities.exceptions import alerts, guide, panels

CAPABILITY = Capability(
    name="exceptions",
    category="exceptions",
    alerts=(Entry("UnhandledExceptions", alerts.UNHANDLED_ONES, alerts.unhandled, "exceptions-unhandled", guide.unhandled),),
    row=panels.row,
)  # fmt: skip
