"""Budgets on the dashboard of a service and in the overview of all objectives, grouped ones too."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from functools import cache
from pathlib import Path

from obs.generate.derive.dashboards.service import derive_dashboard
from obs.generate.derive.dashboards.slos import derive_objectives
from obs.generate.model import Dashboard, Duration, Panel, Service
from obs.generate.spec.load import load

SPECS = Path(__file__).parents[3] / "specs" / "shop"


@cache
def _payments() -> Service:
    return next(service for service in load([SPECS]) if service.name == "payments")


def _grouped() -> Service:
    service = _payments()
    return replace(service, slos=tuple(replace(slo, by=("http.route",)) for slo in service.slos))


def _overview(*services: Service) -> Dashboard:
    found = derive_objectives(services)
    assert found is not None
    return found


def _panel(dashboard: Dashboard, key: str) -> Panel:
    return next(panel for row in dashboard.rows for panel in row.panels if panel.key == key)


def test_without_objectives_there_is_no_overview_and_no_row() -> None:
    service = replace(_payments(), slos=())

    assert derive_objectives([service]) is None
    assert "Objectives" not in {row.title for row in derive_dashboard(service, []).rows}


def test_the_overview_asks_only_what_sloth_records_too() -> None:
    own = {"slo:sli_events", "slo:sli_bad_events", "slo:sli_counted"}

    for row in _overview(_payments()).rows:
        for panel in row.panels:
            for query in panel.queries:
                assert not any(name in query.expr for name in own)
                assert 'service="' not in query.expr


def test_the_worst_comes_first() -> None:
    table = _panel(_overview(_payments()), "slos-budgets")

    assert table.sort == "Budget left"
    assert [query.legend for query in table.queries] == [
        "Budget left",
        "Burn rate",
        "Spent of the period's budget",
        "Spent in",
        "Objective",
    ]
    assert _panel(_overview(_payments()), "slos-left").queries[0].expr.startswith("bottomk(")


def test_it_looks_back_over_the_longest_period() -> None:
    first, *others = _payments().slos
    service = replace(_payments(), slos=(replace(first, window=Duration.parse("90d")), *others))

    assert str(_overview(service).span) == "90d"


def test_a_burn_that_wakes_somebody_is_red() -> None:
    red = next(
        line for line in _panel(_overview(_payments()), "slos-burn").thresholds if line.colour == "red"
    )

    assert red.value == Decimal("14.4")


def test_groups_have_columns_and_names_of_their_own() -> None:
    overview = _overview(_grouped())

    assert "http_route" in {column.field for column in _panel(overview, "slos-budgets").columns}
    assert "{{http_route}}" in _panel(overview, "slos-burn").queries[0].legend


def test_a_grouped_objective_shows_its_worst_groups() -> None:
    dashboard = derive_dashboard(_grouped(), [])

    budget, burn = _panel(dashboard, "slo-availability-budget"), _panel(dashboard, "slo-availability-burn")
    assert budget.kind == "table"
    assert budget.sort == "Budget left"
    assert "http_route" in {column.field for column in budget.columns}
    assert all(query.expr.startswith("topk(") for query in burn.queries)
    assert all("{{http_route}}" in query.legend for query in burn.queries)
