"""The capability `resilience`."""

from __future__ import annotations

from obs.generate.derive.capabilities.capability import Capability, Entry
from obs.generate.derive.capabilities.resilience import alerts, guide, panels

CAPABILITY = Capability(
    name="resilience",
    category="resilience",
    alerts=(
        Entry("CircuitBreakerOpen", alerts.OPEN, alerts.breaker_open, "resilience-open", guide.breaker_open),
        Entry("CircuitBreakerFlapping", alerts.FLAPPING, alerts.breaker_flapping, "resilience-transitions", guide.breaker_flapping),
        Entry("RetryStorm", alerts.RETRY_STORM, alerts.retry_storm, "resilience-retries", guide.retry_storm),
    ),
    row=panels.row,
)  # fmt: skip
