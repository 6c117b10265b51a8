"""The process itself: CPU, memory, descriptors, start; read from the kernel at each scrape."""

from __future__ import annotations

from obs.catalogue.signal import Counter, Gauge, Label

CPU_MODE = Label("cpu.mode", "What the CPU time was spent on.", ("user", "system"), classic="mode")

CPU_TIME = Counter(
    id="process.cpu.time",
    metric="process_cpu_time_seconds_total",
    classic="process_cpu_seconds_total",
    help="CPU time used.",
    unit="s",
    labels=(CPU_MODE,),
    stability="candidate",
)
CPU_LIMIT = Gauge(
    id="process.cpu.limit",
    metric="process_cpu_limit",
    help="CPUs this process may use: the control group's quota, else the CPUs it may run on.",
    unit="{cpu}",
    across="max",
)
MEMORY_USAGE = Gauge(
    id="process.memory.usage",
    metric="process_memory_usage_bytes",
    classic="process_resident_memory_bytes",
    help="Physical memory in use (resident set).",
    unit="By",
    stability="candidate",
)
MEMORY_LIMIT = Gauge(
    id="process.memory.limit",
    metric="process_memory_limit_bytes",
    help="Memory this process may use: the control group's limit, else the machine's memory.",
    unit="By",
    across="max",
)
OPEN_FDS = Gauge(
    id="process.fds.open",
    metric="process_open_fds",
    help="Open file descriptors.",
    unit="{descriptor}",
)
MAX_FDS = Gauge(
    id="process.fds.max",
    metric="process_max_fds",
    help="Most file descriptors this process may open.",
    unit="{descriptor}",
    across="max",
)
START_TIME = Gauge(
    id="process.start_time",
    metric="process_start_time_seconds",
    help="Start of the process, in seconds since the Unix epoch.",
    unit="s",
    across="min",
)

SIGNALS = (CPU_TIME, CPU_LIMIT, MEMORY_USAGE, MEMORY_LIMIT, OPEN_FDS, MAX_FDS, START_TIME)
