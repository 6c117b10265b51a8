"""The capability `process`."""

from __future__ import annotations

from obs.generate.derive.capabilities.capability import Capability, Entry
from obs.generate.derive.capabilities.process import alerts, guide, panels, restarts

CAPABILITY = Capability(
    name="process",
    category="process",
    alerts=(
        Entry("ProcessCpuHigh", alerts.CPU_HIGH, alerts.cpu_high, "process-cpu", guide.cpu_high),
        Entry(
            "ProcessMemoryHigh", alerts.MEMORY_HIGH, alerts.memory_high, "process-memory", guide.memory_high
        ),
        Entry(
            "FileDescriptorsNearLimit",
            alerts.FDS_NEAR_LIMIT,
            alerts.descriptors_near_limit,
            "process-fds",
            guide.descriptors_near_limit,
        ),
        Entry(
            "ProcessRestarting",
            restarts.RESTARTING,
            restarts.restarting,
            "process-restarts",
            guide.restarting,
        ),
    ),
    row=panels.row,
    saturation=panels.saturation,
)
