"""Panels of the process: what it uses of what it may use, and its starts."""

from __future__ import annotations

from obs.catalogue.process import MAX_FDS, OPEN_FDS, START_TIME
from obs.generate.derive.graphs import RATE, series
from obs.generate.derive.guidance.queries import Queries
from obs.generate.model import Panel, Query, Row


def saturation(ask: Queries) -> tuple[Panel, ...]:
    """The fullest instance."""
    return (
        Panel(
            key="saturation",
            title="Saturation",
            description="The fullest instance: CPU and memory used, as a share of what it may use.",
            unit="percentunit",
            kind="timeseries",
            queries=(
                Query(f"max ({ask.cpu_share(RATE)})", "CPU"),
                Query(f"max ({ask.memory_share()})", "memory"),
            ),
        ),
    )


def row(ask: Queries) -> Row:
    """What the process uses."""
    descriptors = f"max by (instance) ({ask.series(OPEN_FDS)}) / max by (instance) ({ask.series(MAX_FDS)})"
    return Row(
        "Process",
        (
            series("process-cpu", "CPU", "CPU used, as a share of what the instance may use.", "percentunit",
                    ask.cpu_share(RATE), "{{instance}}"),
            series("process-memory", "Memory", "Memory used, as a share of what the instance may use.",
                    "percentunit", ask.memory_share(), "{{instance}}"),
            series("process-fds", "File descriptors", "Open files and sockets, as a share of the limit.",
                    "percentunit", descriptors, "{{instance}}"),
            series("process-restarts", "Restarts", "Starts of each instance in the last hour.", "short",
                    f"sum by (instance) (changes({ask.series(START_TIME)}[1h]))", "{{instance}}"),
        ),
    )  # fmt: skip
