"""Which panels a service's dashboard has: objectives, golden signals, then a row for each capability."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Literal

from obs.catalogue.target import UP
from obs.generate.derive import custom_panels
from obs.generate.derive.capabilities import registry
from obs.generate.derive.gaps import CannotDerive
from obs.generate.derive.guidance.queries import BUDGET_LEFT, Queries, percent
from obs.generate.derive.slo.series import ERROR_RATIO, recorded
from obs.generate.derive.slo.windows import FAST, SLOW
from obs.generate.derive.vocabulary import Vocabulary
from obs.generate.model import (
    Alert,
    Annotation,
    Dashboard,
    Panel,
    PanelThreshold,
    Query,
    Row,
    Service,
    Slo,
    Variable,
)

#: The choice of the data source, under the name that `render.grafana` asks.
PROMETHEUS = Variable("datasource", "Prometheus", "datasource", "prometheus")
_PICKED = ('environment=~"$environment"', 'instance=~"$instance"')
#: The long windows of the burn alerts, and the shortest, which shows the present.
_SHOWN = (FAST[0].short, *(pair.long for pair in (*FAST, *SLOW)))


def derive_dashboard(service: Service, alerts: Sequence[Alert]) -> Dashboard:
    """Return the dashboard of `service`; lines on its panels are the thresholds of `alerts`.

    Every query is proven against the contract; raises `UnknownSignal` where one names what nothing
    declares.
    """
    # The variables choose environment and instance, so the spec's choice of these steps aside.
    select = {
        name: value for name, value in service.select.items() if name not in {"environment", "instance"}
    }
    names = replace(Vocabulary.of(service, recorded(service)), select=select)
    ask = Queries(service, names, _PICKED)
    golden = _golden(service, alerts, ask)
    rows = [
        _objectives(service, Queries(service, names, _PICKED[:1])),
        golden,
        *(
            _without(capability.row(ask), golden)
            for capability in sorted(registry.of(service), key=lambda one: one.name)
            if capability.row is not None
        ),
        *custom_panels.rows(ask),
    ]
    up = names.selector(names.metric(UP.id))
    firing = names.selector("ALERTS", _PICKED[0], 'alertstate="firing"')
    return Dashboard(
        name=service.name,
        folder=service.team,
        title=f"{service.name} · service",
        description=f"Objectives, golden signals and capabilities of {service.name}, owned by team {service.team}.",
        rows=tuple(row for row in (_finish(row, alerts, ask) for row in rows) if row.panels),
        interval=service.scrape_interval,
        variables=(PROMETHEUS, *_targets(ask.checked(up))),
        annotations=(
            Annotation("Firing alerts", ask.checked(firing), "{{alertname}}", "{{instance}}", "severity"),
        ),
        tags=("obs", service.name, service.team),
        links=(("Runbooks", f"{service.links.runbooks}/{service.name}"),),
    )


def _targets(up: str) -> tuple[Variable, Variable]:
    """Return the choice of environment, and of the instances in it."""
    chosen = f'{up[:-1]}, environment=~"$environment"}}'
    return (
        Variable("environment", "Environment", "query", f"label_values({up}, environment)"),
        Variable("instance", "Instance", "query", f"label_values({chosen}, instance)"),
    )


def _objectives(service: Service, ask: Queries) -> Row:
    return Row("Objectives", tuple(panel for slo in service.slos for panel in _objective(slo, ask)))


def _objective(slo: Slo, ask: Queries) -> tuple[Panel, ...]:
    promise = f"{slo.objective.normalize():f} % over {slo.window}"
    return (
        Panel(
            key=f"slo-{slo.name}-budget",
            title=f"{slo.name}: error budget left",
            description=f"Share of the error budget of {promise} that is still there; below 0 the promise is broken.",
            unit="percentunit",
            kind="gauge",
            queries=(Query(ask.slo(BUDGET_LEFT, slo.name), "{{environment}}", instant=True),),
            thresholds=(
                PanelThreshold(Decimal(0), "red"),
                PanelThreshold(Decimal("0.1"), "yellow"),
                PanelThreshold(Decimal("0.25"), "green"),
            ),
        ),
        Panel(
            key=f"slo-{slo.name}-burn",
            title=f"{slo.name}: bad events",
            description=(
                f"Share of bad events over the windows of the burn alerts; {percent(slo.budget)} on average "
                f"spends the budget of {promise} exactly."
            ),
            unit="percentunit",
            kind="timeseries",
            queries=tuple(
                Query(ask.slo(f"{ERROR_RATIO}{window}", slo.name), str(window)) for window in _SHOWN
            ),
        ),
    )


def _golden(service: Service, alerts: Sequence[Alert], ask: Queries) -> Row:
    """Traffic, errors and latency of what the service mainly does, and how full it is."""
    capabilities = registry.of(service)
    work = next((one.golden(ask, alerts) for one in capabilities if one.golden is not None), ())
    full = (panel for one in capabilities if one.saturation is not None for panel in one.saturation(ask))
    return Row("Golden signals", (*work, *full))


def _without(row: Row, golden: Row) -> Row:
    """Leave out of a row what stands among the golden signals already."""
    shown = {panel.key for panel in golden.panels}
    return Row(row.title, tuple(panel for panel in row.panels if panel.key not in shown))


def _finish(row: Row, alerts: Sequence[Alert], ask: Queries) -> Row:
    panels = (_complete(panel, alerts, ask) for panel in row.panels)
    # A service with other metrics cannot answer everything; a panel without a question is left out.
    return Row(row.title, tuple(panel for panel in panels if panel.queries or panel.kind == "text"))


def _complete(panel: Panel, alerts: Sequence[Alert], ask: Queries) -> Panel:
    """Prove the panel's queries, and give it the lines and runbooks of the alerts that point at it."""
    shown = [alert for alert in alerts if alert.panel == panel.key]
    links = {alert.name: alert.annotations.get("runbook_url", "") for alert in shown}
    return replace(
        panel,
        queries=tuple(_proven(panel.queries, ask)),
        thresholds=panel.thresholds or _lines(panel, shown),
        links=tuple((f"Runbook {name}", url) for name, url in sorted(links.items()) if url),
    )


def _proven(queries: Sequence[Query], ask: Queries) -> Iterator[Query]:
    for query in queries:
        with contextlib.suppress(CannotDerive):
            yield replace(query, expr=ask.checked(query.expr))


def _lines(panel: Panel, alerts: Sequence[Alert]) -> tuple[PanelThreshold, ...]:
    """Return the alerts' thresholds where they are in the panel's own unit, each line once, the worst colour."""
    same = {"percentunit": "ratio", "s": "s"}.get(panel.unit)
    lines: dict[Decimal, PanelThreshold] = {}
    for alert in sorted(alerts, key=lambda a: a.severity == "page"):
        if alert.threshold.unit == same and alert.threshold.comparison in {">", ">="}:
            colour: Literal["red", "yellow"] = "red" if alert.severity == "page" else "yellow"
            lines[alert.threshold.value] = PanelThreshold(alert.threshold.value, colour)
    return tuple(lines[value] for value in sorted(lines))
