"""Panels of exceptions."""

from __future__ import annotations

from obs.catalogue.exceptions import MECHANISM, UNHANDLED
from obs.generate.derive.graphs import RATE, legend, series
from obs.generate.derive.guidance.queries import Queries
from obs.generate.model import Row


def row(ask: Queries) -> Row:
    """Return exceptions that nobody handled."""
    mechanism = ask.label(UNHANDLED, MECHANISM.name)
    return Row(
        "Exceptions",
        (
            series("exceptions-unhandled", "Unhandled exceptions", "Exceptions a second that nobody handled, by where they surfaced.",
                   "ops", f"sum by ({mechanism}) (rate({ask.series(UNHANDLED)}[{RATE}]))", legend(mechanism)),
        ),
    )  # fmt: skip
