"""Panels of what probes see from outside."""

from __future__ import annotations

from obs.catalogue.exporters.blackbox import DURATION, STATUS, SUCCESS
from obs.generate.derive.graphs import series
from obs.generate.derive.guidance.queries import Queries
from obs.generate.model import Row


def row(ask: Queries) -> Row:
    """How the service's addresses look from outside."""
    return Row(
        "Probes",
        (
            series("probes-success", "Probes that work", "Share of the probes of the last five minutes that worked.",
                   "percentunit", f"avg by (instance) (avg_over_time({ask.series(SUCCESS)}[5m]))", "{{instance}}"),
            series("probes-duration", "Duration of probes", "How long a probe of each address takes.", "s",
                   f"max by (instance) ({ask.series(DURATION)})", "{{instance}}"),
            series("probes-status", "Status", "Status code of each address, 0 without an answer.", "short",
                   f"max by (instance) ({ask.series(STATUS)})", "{{instance}}"),
        ),
    )  # fmt: skip
