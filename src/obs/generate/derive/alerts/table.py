"""Which alerts there are, what each needs, and its author's proposal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from obs.generate.derive.alerts import http, jobs, process, targets, traffic
from obs.generate.derive.drafts import Draft, Kit
from obs.generate.derive.settings import Defaults
from obs.generate.model import Duration, Job


@dataclass(frozen=True, slots=True)
class Entry:
    """One alert of a service: the capability it needs ("" for none), its defaults, its author."""

    name: str
    capability: str
    defaults: Defaults
    author: Callable[[Kit], Draft]
    #: Looks back so far that its tests need a coarser grid and therefore a file of their own.
    slow: bool = False


SERVICE_ALERTS: tuple[Entry, ...] = (
    Entry("HttpErrorRatioHigh", "http", http.ERRORS_HIGH, http.error_ratio_high),
    Entry("HttpErrorRatioElevated", "http", http.ERRORS_ELEVATED, http.error_ratio_elevated),
    Entry("HttpLatencyP99High", "http", http.LATENCY_HIGH, http.latency_p99_high),
    Entry("HttpTrafficDropped", "http", traffic.DROPPED, traffic.traffic_dropped, slow=True),
    Entry("ProcessCpuHigh", "process", process.CPU_HIGH, process.cpu_high),
    Entry("ProcessMemoryHigh", "process", process.MEMORY_HIGH, process.memory_high),
    Entry("JobFailureRatioHigh", "jobs", jobs.FAILURES_HIGH, jobs.failure_ratio_high),
    Entry("TargetDown", "", targets.DOWN, targets.target_down),
)

#: Alerts of which there is one for each job of the spec.
JOB_ALERTS: tuple[tuple[str, Defaults, Callable[[Kit, Job], Draft]], ...] = (
    ("JobNotRunning", jobs.NOT_RUNNING, jobs.not_running),
)

#: Rules that look further back than this are tested on a grid of their own.
FAST_LOOK_BACK = Duration.parse("6h")
