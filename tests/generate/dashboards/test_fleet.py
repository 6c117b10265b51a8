"""The overview of all services: one line a service, whatever its metrics are called."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from obs.errors import SpecError
from obs.generate.derive.dashboards.fleet import derive_fleet
from obs.generate.model import Dashboard, Panel, Service, dashboard_uid
from obs.generate.render.grafana import render
from obs.generate.spec.load import load

SPECS = Path(__file__).parents[3] / "specs" / "shop"


@cache
def _shop() -> tuple[Service, ...]:
    return tuple(load([SPECS]))


def _panel(dashboard: Dashboard, key: str) -> Panel:
    return next(panel for row in dashboard.rows for panel in row.panels if panel.key == key)


def _columns(dashboard: Dashboard) -> list[str]:
    return [query.legend for query in _panel(dashboard, "fleet-services").queries]


def test_rows_tell_what_is_up_what_it_does_what_fires_and_what_runs() -> None:
    dashboard = derive_fleet(_shop())

    assert [row.title for row in dashboard.rows] == [
        "Now",
        "Services",
        "Traffic, errors, latency",
        "Alerts",
        "Versions",
    ]
    assert _columns(dashboard) == ["Up", "Traffic", "Errors", "p95", "Firing alerts", "Least budget"]


def test_all_services_are_those_of_the_specs_even_while_none_is_up() -> None:
    service = next(variable for variable in derive_fleet(_shop()).variables if variable.name == "service")

    assert service.all_value == "payments|storefront|worker"


def test_services_that_would_ask_alike_are_asked_once() -> None:
    many = [replace(_shop()[0], name=f"s{number}", select={"service": f"s{number}"}) for number in range(50)]

    traffic = _panel(derive_fleet(many), "fleet-traffic").queries[0].expr
    assert traffic.count("http_server_request_duration_seconds_count") == 1
    assert 'service=~"$service"' in traffic


def test_services_with_other_metrics_are_asked_in_their_own_words() -> None:
    payments, _, worker = _shop()
    classic = replace(payments, name="old", dialect="classic", select={"service": "old"})

    traffic = _panel(derive_fleet([payments, classic, worker]), "fleet-traffic").queries[0].expr
    assert len(re.findall(r"\bor\b", traffic)) == 2
    for name in ("http_server_request_duration_seconds_count", "http_requests_total", "job_runs_total"):
        assert name in traffic


def test_of_a_service_that_does_several_kinds_of_work_the_first_kind_is_shown() -> None:
    payments, _, worker = _shop()

    for order in ([payments, worker], [worker, payments]):
        traffic = _panel(derive_fleet(order), "fleet-traffic").queries[0].expr
        assert traffic.index("http_server_request_duration") < traffic.index("job_runs_total")


def test_a_fleet_without_objectives_or_versions_has_no_empty_panels() -> None:
    def bare(service: Service) -> Service:
        signals = type(service.signals)(signal for signal in service.signals if signal.id != "obs.build")
        return replace(service, slos=(), capabilities=("process",), signals=signals)

    dashboard = derive_fleet([bare(service) for service in _shop()])

    assert _columns(dashboard) == ["Up", "Firing alerts"]
    assert [row.title for row in dashboard.rows] == ["Now", "Services", "Alerts"]
    assert all(panel.queries for row in dashboard.rows for panel in row.panels)
    assert [mark.name for mark in dashboard.annotations] == ["Firing alerts"]


def test_a_line_leads_to_the_dashboard_of_its_service() -> None:
    column = _panel(derive_fleet(_shop()), "fleet-services").columns[1]

    assert column.field == "service"
    assert column.links[0][1].startswith("/d/obs-${__value.text}?")
    assert column.texts == ()


def test_a_name_too_long_for_an_address_is_shown_as_what_stands_there() -> None:
    name = "a" * 60
    services = [*_shop(), replace(_shop()[0], name=name, select={"service": name})]
    dashboard = derive_fleet(services)

    column = _panel(dashboard, "fleet-services").columns[1]
    assert column.texts == ((name, dashboard_uid(name).removeprefix("obs-")),)
    # A curve has no text but its label, so it leads nowhere rather than to a wrong place.
    assert _panel(dashboard, "fleet-traffic").data_links == ()


def test_a_way_to_a_service_keeps_source_environment_and_time() -> None:
    dashboard = derive_fleet(_shop())

    ((_, cell),) = _panel(dashboard, "fleet-services").columns[1].links
    ((_, curve),) = _panel(dashboard, "fleet-traffic").data_links
    for url in (cell, curve):
        assert "?var-datasource=${datasource}&var-environment=${__" in url
        # As Grafana writes it itself: what ends now goes on.
        assert url.endswith("&${__url_time_range}")


def test_an_alert_leads_to_its_runbook_where_all_services_share_their_place() -> None:
    def first_column(services: list[Service]) -> tuple[tuple[str, str], ...]:
        return _panel(derive_fleet(services), "fleet-firing").columns[1].links

    payments, storefront, _ = _shop()
    other = replace(storefront, links=replace(storefront.links, runbooks="https://elsewhere.example"))

    ((title, url),) = first_column([payments, storefront])
    assert title == "Runbook"
    assert url.endswith("/runbooks/${__data.fields.service}/${__data.fields.alertname}")
    assert first_column([payments, other]) == ()


def test_values_of_one_service_stand_in_one_line() -> None:
    page = json.loads(render(derive_fleet(_shop())).text)
    table = next(panel for panel in page["panels"] if panel["type"] == "table")

    merge, organize = table["transformations"]
    assert merge["id"] == "merge"
    assert organize["options"]["renameByName"]["Value #B"] == "Traffic"
    assert organize["options"]["excludeByName"] == {"Time": True}
    assert {target["format"] for target in table["targets"]} == {"table"}
    assert all(target["instant"] for target in table["targets"])


@pytest.mark.parametrize("name", ["fleet", "fleet-slos"])
def test_a_service_must_not_be_called_as_an_overview(name: str) -> None:
    with pytest.raises(SpecError, match="is the name of an overview"):
        derive_fleet([replace(_shop()[0], name=name)])
