"""The overview of all objectives: whose budget is spent, whose burns, the worst first.

It asks only for series that sloth records too, by the labels that sloth gives them, so that objectives
made by sloth stand in it beside ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TypeAlias

from obs.generate.derive.dashboards import choices
from obs.generate.derive.dashboards.addresses import series_links, service_column
from obs.generate.derive.dashboards.objectives import BUDGET_SCALE
from obs.generate.derive.graphs import legend
from obs.generate.derive.promql import checked
from obs.generate.derive.slo.events import group_labels
from obs.generate.derive.slo.series import (
    BUDGET_LEFT,
    BURN_RATE,
    OBJECTIVE,
    PERIOD_BURN_RATE,
    PERIOD_DAYS,
    recorded,
)
from obs.generate.derive.slo.windows import FAST
from obs.generate.derive.vocabulary import Vocabulary
from obs.generate.model import FLEET, Column, Dashboard, Panel, PanelThreshold, Query, Row, Service, Variable

_PICKED = ('sloth_service=~"$service"', 'sloth_slo=~"$slo"', choices.ENVIRONMENT)

_Scale: TypeAlias = "tuple[PanelThreshold, ...]"
_SHOWN = 10


def derive_objectives(services: Sequence[Service]) -> Dashboard | None:
    """Return the overview of the objectives of `services`; None when there is none."""
    having = [service for service in services if service.slos]
    if not having:
        return None
    names = _names(having)
    groups = tuple(
        sorted(
            {
                label
                for service in having
                for slo in service.slos
                for label in group_labels(slo, Vocabulary.of(service))
            }
        )
    )
    chosen = f'{OBJECTIVE}{{sloth_service=~"$service"}}'
    pages = min(FAST[0].factor(slo.window) for service in having for slo in service.slos)
    burn = (PanelThreshold(Decimal(1), "yellow"), PanelThreshold(pages, "red"))
    rows = (_now(), _table(having, groups, burn), _graphs(having, groups, burn))
    return Dashboard(
        name=f"{FLEET}-slos",
        folder=FLEET,
        title="All objectives",
        description="What is left of each error budget and how fast it burns, the worst first.",
        rows=tuple(_checked(row, names) for row in rows),
        interval=max(service.scrape_interval for service in having),
        variables=(
            choices.PROMETHEUS,
            choices.environment(BUDGET_LEFT),
            Variable("service", "Service", "query", f"label_values({OBJECTIVE}, sloth_service)"),
            Variable("slo", "Objective", "query", f"label_values({chosen}, sloth_slo)"),
        ),
        tags=("obs", "overview", "slo"),
        span=max(slo.window for service in having for slo in service.slos),
    )


def _names(services: Sequence[Service]) -> Vocabulary:
    known: dict[str, frozenset[str]] = {}
    for service in services:
        for name, labels in recorded(service).items():
            known[name] = known.get(name, frozenset()) | labels
    first = services[0]
    return Vocabulary(first.signals, first.dialect, {}, known)


def _series(name: str) -> str:
    return f"{name}{{{', '.join(_PICKED)}}}"


def _constant(name: str) -> str:
    """Return a series that has one sample for each objective, whatever its groups and environments are."""
    return f"max by (sloth_id) ({name}{{{', '.join(_PICKED[:2])}}})"


def _days_left() -> str:
    """Return in how many days each budget is spent when it goes on to burn as it does now."""
    left, burning = f"({_series(BUDGET_LEFT)} > 0)", f"({_series(BURN_RATE)} > 0)"
    return f"{left} / {burning} * on (sloth_id) group_left () {_constant(PERIOD_DAYS)}"


def _now() -> Row:
    def number(key: str, title: str, told: str, expr: str, scale: tuple[PanelThreshold, ...]) -> Panel:
        queries = (Query(expr, title, instant=True),)
        return Panel(key, title, told, "short", "stat", queries, scale, width=6, height=4)

    left, red, yellow = (
        _series(BUDGET_LEFT),
        PanelThreshold(Decimal(1), "red"),
        PanelThreshold(Decimal(1), "yellow"),
    )
    return Row(
        "Now",
        (
            number("slos-count", "Budgets", "Budgets that are kept; a grouped objective has one for each group.",
                   f"count({left}) or vector(0)", ()),
            number("slos-broken", "Broken", "Budgets that are spent: the promise of their period is broken.",
                   f"count({left} <= 0) or vector(0)", (red,)),
            number("slos-burning", "Burning", "Budgets that burn faster than their period allows.",
                   f"count({_series(BURN_RATE)} > 1) or vector(0)", (yellow,)),
            number("slos-soon", "Spent within a day", "Budgets that are spent in less than a day if this goes on.",
                   f"count({_days_left()} < 1) or vector(0)", (red,)),
        ),
    )  # fmt: skip


def _table(services: Sequence[Service], groups: tuple[str, ...], burn: _Scale) -> Row:
    left = _series(BUDGET_LEFT)
    found = (
        ("Budget left", "percentunit", BUDGET_SCALE, f"{left} + 0"),
        ("Burn rate", "short", burn, f"{_series(BURN_RATE)} + 0"),
        ("Spent of the period's budget", "percentunit", (), f"{_series(PERIOD_BURN_RATE)} + 0"),
        ("Spent in", "d", (), _days_left()),
        ("Objective", "percentunit", (), f"0 * {left} + on (sloth_id) group_left () {_constant(OBJECTIVE)}"),
    )
    values = (
        Column(f"Value #{chr(65 + place)}", title, unit, scale)
        for place, (title, unit, scale, _) in enumerate(found)
    )
    hidden = ("Time", "service", "sloth_id", "sloth_window")
    return Row(
        "Worst first",
        (
            Panel(
                key="slos-budgets",
                title="Error budgets",
                description="Each budget: what is left, how fast it burns now (1 spends it exactly), when it is spent.",
                unit="short",
                kind="table",
                queries=tuple(Query(expr, title, instant=True) for title, _, _, expr in found),
                columns=(
                    service_column("sloth_service", services, same_time=False),
                    Column("sloth_slo", "sloth_slo"),
                    *(Column(label, label) for label in groups),
                    Column("environment", "environment"),
                    *values,
                    *(Column(name, name, hidden=True) for name in hidden),
                ),
                sort="Budget left",
                width=24,
            ),
        ),
    )


def _graphs(services: Sequence[Service], groups: tuple[str, ...], burn: _Scale) -> Row:
    links = series_links("sloth_service", services)
    named = legend("sloth_service", "sloth_slo", *groups, "environment")
    return Row(
        "Over the period",
        (
            Panel(
                key="slos-left",
                title="Error budget left",
                description=f"Share of each budget that is left; the {_SHOWN} worst. Below 0 the promise is broken.",
                unit="percentunit",
                kind="timeseries",
                queries=(Query(f"bottomk({_SHOWN}, {_series(BUDGET_LEFT)})", named),),
                thresholds=BUDGET_SCALE,
                data_links=links,
            ),
            Panel(
                key="slos-burn",
                title="Burn rate",
                description=f"How many times faster than its period allows each budget burns; the {_SHOWN} fastest.",
                unit="short",
                kind="timeseries",
                queries=(Query(f"topk({_SHOWN}, {_series(BURN_RATE)})", named),),
                thresholds=burn,
                data_links=links,
            ),
        ),
    )


def _checked(row: Row, names: Vocabulary) -> Row:
    return Row(
        row.title,
        tuple(
            replace(
                panel,
                queries=tuple(replace(query, expr=checked(query.expr, names)) for query in panel.queries),
            )
            for panel in row.panels
        ),
    )
