"""Panels that a spec writes out, and one for each custom alert."""

from __future__ import annotations

from obs.generate.derive import promql
from obs.generate.derive.custom import measured, panel_key, placed
from obs.generate.derive.guidance.queries import Queries
from obs.generate.model import ExtraPanel, Panel, Place, Query, Row


def rows(ask: Queries) -> tuple[Row, ...]:
    """Return the rows of a service's own: its custom alerts, and what stands under ``dashboard:``."""
    custom = tuple(
        Panel(
            key=panel_key(one),
            title=one.name,
            description=f"What the alert {one.name} measures.",
            unit=one.unit,
            kind="timeseries",
            queries=(Query(_picked(measured(one, ask.names), ask), "{{environment}}"),),
        )
        for one in ask.service.custom_alerts
    )
    extra = tuple(
        Row(row.title, tuple(_panel(panel, ask) for panel in row.panels)) for row in ask.service.rows
    )
    return (*((Row("Custom alerts", custom),) if custom else ()), *extra)


def _panel(panel: ExtraPanel, ask: Queries) -> Panel:
    def query(expr: str, legend: str, place: Place) -> Query:
        def prove() -> str:
            return promql.checked(_picked(promql.scoped(expr, ask.names.matchers), ask), ask.names)

        return Query(placed(prove, place, f"dashboard: panel {panel.title!r}"), legend)

    return Panel(
        key=panel.key,
        title=panel.title,
        description=panel.description,
        unit=panel.unit,
        kind="timeseries",
        queries=tuple(query(*one) for one in panel.queries),
    )


def _picked(expr: str, ask: Queries) -> str:
    """Return `expr` with the environment that the reader of the dashboard has chosen."""
    return promql.scoped(expr, ask.matchers[:1])
