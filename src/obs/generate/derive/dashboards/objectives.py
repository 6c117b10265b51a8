"""Objectives of a service: what is left of each budget, and how fast it burns."""

from __future__ import annotations

from decimal import Decimal

from obs.generate.derive.graphs import legend
from obs.generate.derive.guidance.queries import Queries, percent
from obs.generate.derive.slo.events import group_labels
from obs.generate.derive.slo.series import BUDGET_LEFT, error_ratio
from obs.generate.derive.slo.windows import FAST, SLOW
from obs.generate.model import Column, Panel, PanelThreshold, Query, Row, Service, Slo

#: At and below nothing the promise is broken; a quarter is what one bad day costs.
BUDGET_SCALE = (
    PanelThreshold(Decimal(0), "red"),
    PanelThreshold(Decimal("0.1"), "yellow"),
    PanelThreshold(Decimal("0.25"), "green"),
)
#: The long windows of the burn alerts, and the shortest, which shows the present.
_SHOWN = (FAST[0].short, *(pair.long for pair in (*FAST, *SLOW)))
#: Of an objective with a budget for each group only the worst fit on a graph.
_WORST = 10


def objectives(service: Service, ask: Queries) -> Row:
    """Return two panels for each objective."""
    return Row("Objectives", tuple(panel for slo in service.slos for panel in _objective(slo, ask)))


def _objective(slo: Slo, ask: Queries) -> tuple[Panel, Panel]:
    promise = f"{slo.objective.normalize():f} % over {slo.window}"
    groups = group_labels(slo, ask.names)
    return (_worst(slo, ask, promise, groups) if groups else _left(slo, ask, promise)), _burn(
        slo, ask, promise, groups
    )


def _left(slo: Slo, ask: Queries, promise: str) -> Panel:
    return Panel(
        key=f"slo-{slo.name}-budget",
        title=f"{slo.name}: error budget left",
        description=f"Share of the error budget of {promise} that is still there; below 0 the promise is broken.",
        unit="percentunit",
        kind="gauge",
        queries=(Query(ask.slo(BUDGET_LEFT, slo.name), "{{environment}}", instant=True),),
        thresholds=BUDGET_SCALE,
    )


def _worst(slo: Slo, ask: Queries, promise: str, groups: tuple[str, ...]) -> Panel:
    kept = ", ".join((*groups, "environment"))
    return Panel(
        key=f"slo-{slo.name}-budget",
        title=f"{slo.name}: error budgets left",
        description=(
            f"Share of the error budget of {promise} that each {' and '.join(groups)} still has, the worst first; "
            "below 0 the promise is broken."
        ),
        unit="percentunit",
        kind="table",
        queries=(Query(f"min by ({kept}) ({ask.slo(BUDGET_LEFT, slo.name)})", "", instant=True),),
        columns=(
            Column("Time", "Time", hidden=True),
            *(Column(label, label) for label in groups),
            Column("environment", "environment"),
            Column("Value", "Budget left", "percentunit", BUDGET_SCALE),
        ),
        sort="Budget left",
        width=8,
    )


def _burn(slo: Slo, ask: Queries, promise: str, groups: tuple[str, ...]) -> Panel:
    told = (
        f"Share of bad events over the windows of the burn alerts; {percent(slo.budget)} on average "
        f"spends the budget of {promise} exactly."
    )
    queries = []
    for window in _SHOWN:
        ratio = ask.slo(error_ratio(window), slo.name)
        shown = f"topk({_WORST}, {ratio})" if groups else ratio
        queries.append(Query(shown, " ".join(filter(None, (legend(*groups), str(window))))))
    return Panel(
        key=f"slo-{slo.name}-burn",
        title=f"{slo.name}: bad events",
        description=f"{told} The {_WORST} worst are shown." if groups else told,
        unit="percentunit",
        kind="timeseries",
        queries=tuple(queries[:3] if groups else queries),
        width=16 if groups else 0,
    )
