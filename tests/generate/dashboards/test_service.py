"""Which panels there are, what they ask, and what they owe to the alerts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest

from obs.catalogue import Registry, bundled
from obs.generate.derive.dashboards.proof import proven
from obs.generate.derive.dashboards.service import derive_dashboard
from obs.generate.derive.guidance.queries import Queries
from obs.generate.derive.promql import checked
from obs.generate.derive.rules import rule_files
from obs.generate.derive.slo.series import recorded
from obs.generate.derive.vocabulary import Vocabulary
from obs.generate.model import (
    Alert,
    Dashboard,
    Duration,
    Panel,
    Query,
    Row,
    Service,
    dashboard_uid,
    panel_id,
)
from obs.generate.spec.load import load

SPECS = Path(__file__).parents[3] / "specs" / "shop"
_RATE = r"\b(?:rate|increase)\(\s*[a-z_:0-9]+\{[^}]*\}\[(.*?)\]"
SERVICES = ("payments", "storefront", "worker")


@cache
def _service(name: str, environment: str | None = None) -> Service:
    return next(s for s in load([SPECS], environment=environment) if s.name == name)


def _alerts(service: Service) -> list[Alert]:
    return [alert for file in rule_files(service) for alert in file.alerts]


def _dashboard(service: Service) -> Dashboard:
    return derive_dashboard(service, _alerts(service))


def _panels(dashboard: Dashboard) -> Iterator[Panel]:
    return (panel for row in dashboard.rows for panel in row.panels)


def _queries(dashboard: Dashboard, source: str = "prometheus") -> list[str]:
    return [query.expr for panel in _panels(dashboard) for query in panel.queries if query.source == source]


def _panel(dashboard: Dashboard, key: str) -> Panel:
    return next(panel for panel in _panels(dashboard) if panel.key == key)


def test_rows_follow_objectives_golden_signals_and_capabilities() -> None:
    payments, worker = _dashboard(_service("payments")), _dashboard(_service("worker"))

    assert [row.title for row in payments.rows] == [
        "Objectives",
        "Golden signals",
        "HTTP",
        "Process",
        "Telemetry",
        "Targets",
        "Logs",
        "Traces",
    ]
    assert [row.title for row in worker.rows] == [
        "Golden signals",
        "Jobs",
        "Process",
        "Telemetry",
        "Targets",
        "Logs",
        "Traces",
    ]


def test_golden_signals_are_traffic_errors_latency_saturation() -> None:
    keys = {
        name: [panel.key for row in _dashboard(_service(name)).rows if row.title == "Golden signals" for panel in row.panels]
        for name in ("payments", "worker")
    }  # fmt: skip

    assert keys == {
        "payments": ["http-traffic", "http-errors", "http-latency", "saturation"],
        "worker": ["jobs-runs", "jobs-failures", "jobs-duration", "saturation"],
    }


def test_a_service_with_requests_and_jobs_shows_both() -> None:
    service = replace(_service("worker"), capabilities=("http", "jobs", "process"))

    rows = {row.title: [panel.key for panel in row.panels] for row in _dashboard(service).rows}
    assert rows["Golden signals"][0] == "http-traffic"
    assert rows["Jobs"] == ["jobs-runs", "jobs-failures", "jobs-duration", "jobs-last-success", "jobs-active"]


@pytest.mark.parametrize("environment", [None, "demo"])
@pytest.mark.parametrize("name", SERVICES)
class TestEachService:
    def test_every_query_resolves_against_the_contract(self, name: str, environment: str | None) -> None:
        service = _service(name, environment)
        dashboard = _dashboard(service)
        names = Vocabulary.of(service, recorded(service))

        queries = _queries(dashboard)
        assert len(queries) > 10
        for query in [*queries, *(mark.expr for mark in dashboard.annotations)]:
            assert checked(query, names) == query

    def test_every_selector_is_bound_to_the_service_and_to_the_variables(
        self, name: str, environment: str | None
    ) -> None:
        for query in _queries(_dashboard(_service(name, environment))):
            selectors = re.findall(r"[a-z_:0-9]+\{([^}]*)\}", query)
            assert selectors
            for selector in selectors:
                assert f'service="{name}"' in selector
                assert 'environment=~"$environment"' in selector
                assert 'instance=~"$instance"' in selector or "sloth_slo" in selector

    def test_rates_use_the_window_that_grafana_fits(self, name: str, environment: str | None) -> None:
        for panel in _panels(_dashboard(_service(name, environment))):
            for query in panel.queries:
                for window in re.findall(_RATE, query.expr):
                    assert window == "$__rate_interval" or query.legend == "alert below"

    def test_every_panel_has_a_title_a_description_a_unit_and_queries(
        self, name: str, environment: str | None
    ) -> None:
        for panel in _panels(_dashboard(_service(name, environment))):
            assert panel.title
            assert panel.description.endswith(".")
            assert panel.unit
            assert panel.queries
            # A line and a trace name themselves.
            assert all(query.legend or query.source != "prometheus" for query in panel.queries)

    def test_every_alert_points_at_a_panel_that_links_back_to_its_runbook(
        self, name: str, environment: str | None
    ) -> None:
        service = _service(name, environment)
        panels = {panel.key: panel for panel in _panels(_dashboard(service))}

        for alert in _alerts(service):
            assert (f"Runbook {alert.name}", alert.annotations["runbook_url"]) in panels[alert.panel].links
            assert f"viewPanel={panel_id(alert.panel)}" in alert.annotations["dashboard_url"]
            assert f"/d/{dashboard_uid(name)}?" in alert.annotations["dashboard_url"]

    def test_keys_and_ids_are_unique(self, name: str, environment: str | None) -> None:
        panels = list(_panels(_dashboard(_service(name, environment))))

        assert len({panel.key for panel in panels}) == len(panels)
        assert len({panel.id for panel in panels}) == len(panels)


def _lines(panel: Panel) -> list[tuple[str, str]]:
    return [(f"{line.value:f}", line.colour) for line in panel.thresholds]


def test_lines_are_the_thresholds_of_the_alerts() -> None:
    dashboard = _dashboard(_service("payments"))

    assert _lines(_panel(dashboard, "http-errors")) == [("0.01", "yellow"), ("0.05", "red")]
    assert _lines(_panel(dashboard, "http-latency")) == [("0.5", "yellow")]
    assert _lines(_panel(dashboard, "process-memory")) == [("0.9", "red")]
    assert _lines(_panel(dashboard, "slo-availability-burn")) == [("0.001", "yellow"), ("0.006", "red")]


def test_a_changed_threshold_moves_the_line() -> None:
    service = _service("payments")
    tuning = replace(service.tunings["HttpLatencyP99High"], threshold=Decimal("0.25"))
    service = replace(service, tunings={**service.tunings, "HttpLatencyP99High": tuning})

    assert _lines(_panel(_dashboard(service), "http-latency")) == [("0.25", "yellow")]


def test_a_share_of_yesterday_is_drawn_as_a_curve() -> None:
    panel = _panel(_dashboard(_service("payments")), "http-traffic")

    assert not panel.thresholds
    assert panel.queries[-1].legend == "alert below"
    assert panel.queries[-1].expr.split()[0] == "0.5"


def test_without_alerts_there_are_panels_but_no_lines() -> None:
    dashboard = derive_dashboard(_service("payments"), [])

    assert not _panel(dashboard, "http-errors").thresholds
    assert not _panel(dashboard, "http-errors").links
    assert [query.legend for query in _panel(dashboard, "http-traffic").queries] == ["now", "yesterday"]


def test_latency_draws_exemplars() -> None:
    dashboard = _dashboard(_service("payments"))

    assert any(query.exemplar for query in _panel(dashboard, "http-latency").queries)
    assert _panel(dashboard, "http-heatmap").queries[0].exemplar


def test_the_classic_dialect_gets_its_own_names() -> None:
    dashboard = _dashboard(replace(_service("payments"), dialect="classic", slos=()))

    text = " ".join(query.expr for panel in _panels(dashboard) for query in panel.queries)
    assert "http_requests_total" in text
    assert "http_server_request_duration" not in text


def test_a_panel_whose_signal_the_contract_lacks_is_left_out_and_a_row_without_panels_too() -> None:
    def without(*ids: str) -> Registry:
        return Registry(signal for signal in bundled() if signal.id not in ids)

    fewer = derive_dashboard(replace(_service("payments"), signals=without("process.fds.max")), [])
    none = derive_dashboard(
        replace(
            _service("worker"),
            capabilities=("jobs",),
            signals=without("job.runs", "job.duration", "job.last_success", "job.active"),
        ),
        [],
    )

    assert "process-fds" not in {panel.key for panel in _panels(fewer)}
    assert "process-cpu" in {panel.key for panel in _panels(fewer)}
    assert [row.title for row in none.rows] == ["Targets", "Traces"]


def test_a_service_whose_lines_reach_no_loki_and_whose_work_is_not_traced_shows_neither() -> None:
    service = replace(_service("payments"), capabilities=("prometheus",), slos=())
    dashboard = derive_dashboard(service, [])

    assert not {"Logs", "Traces"} & {row.title for row in dashboard.rows}
    assert [variable.name for variable in dashboard.variables] == ["datasource", "environment", "instance"]
    assert not any(panel.data_links for panel in _panels(dashboard))


def _line(comparison: str, value: str, severity: str = "page", unit: str = "1", window: str = "0s") -> Alert:
    alert = next(alert for alert in _alerts(_service("payments")) if alert.panel == "http-errors")
    threshold = replace(alert.threshold, comparison=comparison, value=Decimal(value), unit=unit)  # type: ignore[arg-type]
    return replace(alert, threshold=threshold, severity=severity, panel="p", window=Duration.parse(window))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("unit", "kind", "alerts", "lines"),
    [
        ("short", "timeseries", [_line(">", "200", "ticket")], [("200", "yellow")]),
        ("short", "timeseries", [_line("==", "1")], [("1", "red")]),
        ("short", "timeseries", [_line("==", "0")], [("0", "red"), ("1", "green")]),
        ("short", "timeseries", [_line(">", "3", window="30m")], []),
        ("percentunit", "timeseries", [_line("<", "0.7", "ticket", "ratio")], [("0", "yellow"), ("0.7", "green")]),
        (
            "percentunit",
            "timeseries",
            [_line("<", "0.7", "ticket", "ratio"), _line("<", "0.5", "page", "ratio")],
            [("0", "red"), ("0.5", "yellow"), ("0.7", "green")],
        ),
        (
            "percentunit",
            "timeseries",
            [_line(">", "0.9", "page", "ratio"), _line("<", "0.1", "page", "ratio")],
            [("0.9", "red")],
        ),
        ("percentunit", "timeseries", [_line("<=", "0", "ticket", "ratio")], []),
        ("percentunit", "table", [_line(">", "0.9", "page", "ratio")], []),
        ("reqps", "timeseries", [_line(">", "0.9", "page", "ratio")], []),
    ],
    ids=["too many", "is one", "is none", "in a window", "too few", "far too few", "both", "nothing left", "table", "unit"],
)  # fmt: skip
def test_a_line_is_drawn_where_the_alert_measures_what_the_panel_shows(
    unit: str, kind: str, alerts: list[Alert], lines: list[tuple[str, str]]
) -> None:
    panel = Panel("p", "P", "Told.", unit, kind, (Query("vector(1)", "one"),))  # type: ignore[arg-type]
    ask = Queries(_service("payments"), Vocabulary.of(_service("payments")))

    (shown,) = proven(Row("Row", (panel,)), alerts, ask).panels
    assert _lines(shown) == lines
