"""Panels made whole: every query proven against the contract, with the lines and runbooks of the alerts."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from obs.generate.derive.gaps import CannotDerive, is_gap
from obs.generate.derive.guidance.queries import Queries
from obs.generate.derive.promql import ungrouped
from obs.generate.model import Alert, Panel, PanelThreshold, Query, Row
from obs.generate.model.panel import Colour

#: Grafana's unit -> unit of an alert's threshold.
_SAME_UNIT = {"percentunit": "ratio", "s": "s"}
_LABEL = re.compile(r"\{\{(\w+)\}\} ?")
_COLOURS: Mapping[str, Colour] = {"page": "red", "ticket": "yellow", "none": "yellow"}


def proven(row: Row, alerts: Sequence[Alert], ask: Queries, ways: tuple[tuple[str, str], ...] = ()) -> Row:
    """Return `row` with what its panels owe to `alerts`; `ways` lead from every graph to other evidence.

    A service with other metrics cannot answer everything: a panel without any query left is left out. The
    panel of an alert draws as one what the service's metrics do not tell apart, as the alert judges it.
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
        queries=tuple(_answered(map(_joined, panel.queries) if shown else panel.queries, ask)),
        thresholds=panel.thresholds or _lines(panel, shown),
        links=tuple((f"Runbook {name}", url) for name, url in sorted(links.items()) if url),
        data_links=panel.data_links or (ways if panel.kind in {"timeseries", "heatmap"} else ()),
    )


def _joined(query: Query) -> Query:
    """Return `query` without grouping by labels that do not exist."""
    if query.source != "prometheus":
        return query
    legend = _LABEL.sub(lambda match: "" if is_gap(match[1]) else match[0], query.legend)
    return replace(query, expr=ungrouped(query.expr)[0], legend=legend.strip())


def _answered(queries: Iterable[Query], ask: Queries) -> Iterator[Query]:
    for query in queries:
        if query.source != "prometheus":
            yield query
            continue
        with contextlib.suppress(CannotDerive):
            yield replace(query, expr=ask.checked(query.expr))


def _lines(panel: Panel, alerts: Sequence[Alert]) -> tuple[PanelThreshold, ...]:
    """Return the alerts' thresholds where they are in the panel's own unit, each line once, the worst colour.

    Where alerts only watch for too little, what is above their lines is green.
    """
    most: dict[Decimal, Colour] = {}
    least: dict[Decimal, Colour] = {}
    for alert in sorted(alerts, key=lambda a: a.severity == "page"):
        if not _is_shown(alert, panel):
            continue
        value, colour = alert.threshold.value, _COLOURS[alert.severity]
        if alert.threshold.comparison in {">", ">="} or (alert.threshold.comparison == "==" and value):
            most[value] = colour
        elif alert.threshold.comparison == "==":
            # What must not be nothing must be one.
            least[Decimal(1)] = colour
        elif value:
            least[value] = colour
    if most or not least:
        return tuple(PanelThreshold(value, most[value]) for value in sorted(most))
    bounds = sorted(least)
    below = (
        PanelThreshold(bound, least[line])
        for bound, line in zip((Decimal(0), *bounds[:-1]), bounds, strict=True)
    )
    return (*below, PanelThreshold(bounds[-1], "green"))


def _is_shown(alert: Alert, panel: Panel) -> bool:
    """Tell whether an alert's threshold is a value of the panel's axis; each column of a table has its own."""
    if panel.kind == "table":
        return False
    if panel.unit == "short":
        # A number that is counted in a window is no level, whatever window the panel has.
        return alert.threshold.unit == "1" and not alert.window
    return alert.threshold.unit == _SAME_UNIT.get(panel.unit)
