"""Panels made whole: every query proven against the contract, with the lines and runbooks of the alerts."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal

from obs.generate.derive.gaps import CannotDerive
from obs.generate.derive.guidance.queries import Queries
from obs.generate.model import Alert, Panel, PanelThreshold, Query, Row
from obs.generate.model.panel import Colour

#: Grafana's unit -> unit of an alert's threshold.
_SAME_UNIT = {"percentunit": "ratio", "s": "s"}


def proven(row: Row, alerts: Sequence[Alert], ask: Queries, ways: tuple[tuple[str, str], ...] = ()) -> Row:
    """Return `row` with what its panels owe to `alerts`; `ways` lead from every graph to other evidence.

    A service with other metrics cannot answer everything: a panel without any query left is left out.
    """
    panels = (_complete(panel, alerts, ask, ways) for panel in row.panels)
    return Row(row.title, tuple(panel for panel in panels if panel.queries or panel.kind == "text"))


def _complete(
    panel: Panel, alerts: Sequence[Alert], ask: Queries, ways: tuple[tuple[str, str], ...]
) -> Panel:
    shown = [alert for alert in alerts if alert.panel == panel.key]
    links = {alert.name: alert.annotations.get("runbook_url", "") for alert in shown}
    return replace(
        panel,
        queries=tuple(_answered(panel.queries, ask)),
        thresholds=panel.thresholds or _lines(panel, shown),
        links=tuple((f"Runbook {name}", url) for name, url in sorted(links.items()) if url),
        data_links=panel.data_links or (ways if panel.kind in {"timeseries", "heatmap"} else ()),
    )


def _answered(queries: Sequence[Query], ask: Queries) -> Iterator[Query]:
    for query in queries:
        if query.source != "prometheus":
            yield query
            continue
        with contextlib.suppress(CannotDerive):
            yield replace(query, expr=ask.checked(query.expr))


def _lines(panel: Panel, alerts: Sequence[Alert]) -> tuple[PanelThreshold, ...]:
    """Return the alerts' thresholds where they are in the panel's own unit, each line once, the worst colour."""
    same = _SAME_UNIT.get(panel.unit)
    lines: dict[Decimal, PanelThreshold] = {}
    for alert in sorted(alerts, key=lambda a: a.severity == "page"):
        if alert.threshold.unit == same and alert.threshold.comparison in {">", ">="}:
            colour: Colour = "red" if alert.severity == "page" else "yellow"
            lines[alert.threshold.value] = PanelThreshold(alert.threshold.value, colour)
    return tuple(lines[value] for value in sorted(lines))
