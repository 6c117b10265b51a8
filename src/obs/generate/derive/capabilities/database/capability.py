"""The capability `database`."""

from __future__ import annotations

from obs.generate.derive.capabilities.capability import Capability, Entry
from obs.generate.derive.capabilities.database import guide, operations, panels, pool_guide, pools

CAPABILITY = Capability(
    name="database",
    category="database",
    alerts=(
        Entry("DbQueryLatencyP95High", operations.LATENCY_HIGH, operations.latency_p95_high, "db-latency", guide.latency_high),
        Entry("DbQueryErrorRatioHigh", operations.ERRORS_HIGH, operations.error_ratio_high, "db-errors", guide.error_ratio_high),
        Entry("DbSlowQueries", operations.SLOW, operations.slow_queries, "db-slow", guide.slow_queries),
        Entry("DbPoolNearlyExhausted", pools.NEARLY_EXHAUSTED, pools.nearly_exhausted, "db-pool", pool_guide.nearly_exhausted),
        Entry("DbPoolWaiting", pools.WAITING, pools.waiting, "db-pool-waiting", pool_guide.waiting),
        Entry("DbPoolTimeouts", pools.TIMEOUTS, pools.timeouts, "db-pool-timeouts", pool_guide.timeouts),
    ),
    row=panels.row,
)  # fmt: skip
