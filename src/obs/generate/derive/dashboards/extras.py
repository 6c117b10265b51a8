"""Rows and panels that a spec adds of its own."""

from __future__ import annotations

from collections.abc import Iterator

from obs.generate.model import ExtraPanel, Panel, Query, Row, Service


def extras(service: Service) -> Iterator[Row]:
    """Yield the rows of the spec, in its order."""
    for row in service.rows:
        yield Row(row.title, tuple(_panel(panel) for panel in row.panels))


def _panel(panel: ExtraPanel) -> Panel:
    return Panel(
        key=panel.key,
        title=panel.title,
        description=panel.description,
        unit=panel.unit,
        kind="timeseries",
        queries=tuple(Query(expr, legend) for expr, legend, _ in panel.queries),
    )
