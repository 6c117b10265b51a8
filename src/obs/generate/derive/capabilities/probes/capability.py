"""Probes: an alert on addresses that do not work from outside."""

from __future__ import annotations

from obs.generate.derive.capabilities.capability import Capability, Entry
from obs.generate.derive.capabilities.probes import alerts, guide, panels

CAPABILITY = Capability(
    name="probes",
    category="probes",
    alerts=(
        Entry(
            "EndpointProbeFailing",
            alerts.PROBE_FAILING,
            alerts.probe_failing,
            "probes-success",
            guide.probe_failing,
        ),
    ),
    row=panels.row,
)
