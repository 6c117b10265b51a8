"""Scales: at which value a panel changes its colour."""

from __future__ import annotations

from typing import Any

from obs.generate.model import PanelThreshold


def steps(thresholds: tuple[PanelThreshold, ...]) -> list[dict[str, Any]]:
    """Return the steps of a scale; the first holds from minus infinity, which JSON writes as null."""
    lines = sorted(thresholds, key=lambda line: line.value)
    first = "green"
    if lines and lines[0].value <= 0:
        # Zero itself begins the next colour only where there is something below it.
        first, lines = lines[0].colour, lines[1:]
    found: list[dict[str, Any]] = [{"color": first, "value": None}]
    return found + [{"color": line.colour, "value": float(line.value)} for line in lines]
