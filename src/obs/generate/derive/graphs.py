"""What the panels of every capability share: windows, quantiles, legends, and the plain graph."""

from __future__ import annotations

from obs.generate.model import Panel, Query

#: The window that Grafana fits to the zoom and to the scrape interval.
RATE = "$__rate_interval"
QUANTILES = (("0.5", "p50"), ("0.95", "p95"), ("0.99", "p99"))


def legend(*labels: str) -> str:
    """Return the name of a curve, made of its labels."""
    return " ".join(f"{{{{{label}}}}}" for label in labels)


def series(  # noqa: PLR0917 - a panel reads best as one row of a table
    key: str, title: str, description: str, unit: str, expr: str, name: str
) -> Panel:
    """Return a graph of one query; `name` is the legend of its curves."""
    return Panel(key, title, description, unit, "timeseries", (Query(expr, name),))
