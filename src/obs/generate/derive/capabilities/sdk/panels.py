"""Panels of obs itself: what it lost, and why."""

from __future__ import annotations

from obs.catalogue.self import (
    COMPONENT,
    ERRORS,
    LOGS_DROPPED,
    LOGS_REASON,
    METRIC,
    OVERFLOW,
    REASON,
    SPANS_DROPPED,
)
from obs.generate.derive.graphs import RATE, legend, series
from obs.generate.derive.guidance.queries import Queries
from obs.generate.model import Row


def row(ask: Queries) -> Row:
    """Return what obs lost."""
    why, cause = ask.label(SPANS_DROPPED, REASON.name), ask.label(LOGS_DROPPED, LOGS_REASON.name)
    part, metric = ask.label(ERRORS, COMPONENT.name), ask.label(OVERFLOW, METRIC.name)
    return Row(
        "Telemetry",
        (
            series("sdk-spans", "Spans lost", "Spans a second that were never delivered, by reason.", "ops",
                   f"sum by ({why}) (rate({ask.series(SPANS_DROPPED)}[{RATE}]))", legend(why)),
            series("sdk-logs", "Log lines lost", "Log lines a second that were left out or never delivered, by reason.", "ops",
                   f"sum by ({cause}) (rate({ask.series(LOGS_DROPPED)}[{RATE}]))", legend(cause)),
            series("sdk-errors", "Errors inside obs", "Errors a second that obs kept from the service, by component.", "ops",
                   f"sum by ({part}) (rate({ask.series(ERRORS)}[{RATE}]))", legend(part)),
            series("sdk-overflow", "Observations beyond the cap",
                   "Observations a second that went to an overflow series, by metric.", "ops",
                   f"sum by ({metric}) (rate({ask.series(OVERFLOW)}[{RATE}]))", legend(metric)),
        ),
    )  # fmt: skip
