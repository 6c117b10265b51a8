"""The capability `sdk`: a service that is instrumented with obs tells of its own telemetry."""

from __future__ import annotations

from obs.generate.derive.capabilities.capability import Capability, Entry
from obs.generate.derive.capabilities.sdk import alerts, guide, panels

CAPABILITY = Capability(
    name="sdk",
    category="telemetry",
    alerts=(
        Entry("SdkSpansDropped", alerts.DROPPED, alerts.spans_dropped, "sdk-spans", guide.spans_dropped),
        Entry("SdkExportFailing", alerts.FAILING, alerts.export_failing, "sdk-spans", guide.export_failing),
    ),
    row=panels.row,
)
