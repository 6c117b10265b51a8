"""Panels of backups."""

from __future__ import annotations

from obs.catalogue.conventions.backups import BACKUP, LAST_SIZE, LAST_SUCCESS
from obs.generate.derive.graphs import legend, series
from obs.generate.derive.guidance.queries import Queries
from obs.generate.model import Row


def row(ask: Queries) -> Row:
    """How old and how large backups are."""
    made, sized = ask.label(LAST_SUCCESS, BACKUP.name), ask.label(LAST_SIZE, BACKUP.name)
    return Row(
        "Backups",
        (
            series("backups-age", "Age", "Age of the last backup that worked.", "s",
                   f"time() - max by ({made}) ({ask.series(LAST_SUCCESS)})", legend(made)),
            series("backups-size", "Size", "Size of the last backup that worked.", "bytes",
                   f"max by ({sized}) ({ask.series(LAST_SIZE)})", legend(sized)),
        ),
    )  # fmt: skip
