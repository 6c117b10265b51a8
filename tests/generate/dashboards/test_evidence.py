"""From a graph to the logs of the same time, from a line to its trace, from a deployment to what it did."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from obs.errors import UnknownSignal
from obs.generate.derive.dashboards import evidence
from obs.generate.derive.dashboards.explore import link
from obs.generate.derive.dashboards.service import derive_dashboard
from obs.generate.derive.rules import rule_files
from obs.generate.model import Alert, Dashboard, Panel, Row, Service
from obs.generate.render.grafana import render
from obs.generate.spec.load import load
from obs.runtime import settings
from obs.runtime.otel import resource

#: Spans of the service in the chosen environments, however many those are.
SPANS = 'resource.service.name = "payments" && resource.deployment.environment.name =~ "${environment:pipe}"'
SPECS = Path(__file__).parents[3] / "specs" / "shop"


@cache
def _service() -> Service:
    return next(service for service in load([SPECS]) if service.name == "payments")


def _alerts(service: Service) -> list[Alert]:
    return [alert for file in rule_files(service) for alert in file.alerts]


@cache
def _dashboard() -> Dashboard:
    return derive_dashboard(_service(), _alerts(_service()))


def _pane(url: str) -> dict[str, Any]:
    """Return what Explore reads from an address once Grafana has put in its variables."""
    query = parse_qs(urlsplit(url).query)
    assert query["schemaVersion"] == ["1"]
    panes: dict[str, Any] = json.loads(query["panes"][0])
    (pane,) = panes.values()
    found: dict[str, Any] = pane
    return found


def _panel(row: Row, key: str) -> Panel:
    return next(panel for panel in row.panels if panel.key == key)


def test_a_link_leaves_grafanas_variables_as_they_are_and_encodes_the_rest() -> None:
    url = link("loki", '{service="a b", environment=~"${environment:pipe}"} |= `x & y`')

    assert url.startswith("/explore?")
    assert "${environment:pipe}" in url
    assert "${__from}" in url
    assert not set(url) & set(' "&`') - {"&"}
    pane = _pane(url)
    assert pane["range"] == {"from": "${__from}", "to": "${__to}"}
    assert pane["datasource"] == "${loki}"
    assert pane["queries"][0]["datasource"] == {"type": "loki", "uid": "${loki}"}
    assert pane["queries"][0]["expr"] == '{service="a b", environment=~"${environment:pipe}"} |= `x & y`'


def test_every_graph_leads_to_the_logs_and_traces_of_its_time() -> None:
    graphs = [
        panel for row in _dashboard().rows for panel in row.panels if panel.kind in {"timeseries", "heatmap"}
    ]

    assert graphs
    for panel in graphs:
        (logs, logs_url), (traces, traces_url) = panel.data_links
        assert (logs, traces) == ("Logs of this time", "Traces of this time")
        assert _pane(logs_url)["queries"][0]["expr"].startswith('{service="payments"')
        assert _pane(traces_url)["queries"][0]["query"] == f"{{ {SPANS} }}"


def test_an_error_leads_to_its_trace() -> None:
    panel = _panel(evidence.logs(_service()), "logs-errors")
    (column,) = (column for column in panel.columns if column.links)

    assert column.field == "trace_id"
    assert _pane(column.links[0][1])["queries"][0]["query"] == "${__value.raw}"

    page = json.loads(render(_dashboard()).text)
    drawn = next(panel for panel in page["panels"] if panel["title"] == "Errors and their traces")
    assert [step["id"] for step in drawn["transformations"]] == [
        "extractFields",
        "filterFieldsByName",
        "organize",
    ]
    assert drawn["fieldConfig"]["overrides"][0]["matcher"] == {"id": "byName", "options": "Trace"}


def test_logs_are_those_of_the_chosen_environment_and_text() -> None:
    row = evidence.logs(_service())

    for panel in row.panels:
        for query in panel.queries:
            assert query.source == "loki"
            assert '{service="payments", environment=~"$environment"}' in query.expr
    assert "${search}" in _panel(row, "logs-lines").queries[0].expr
    assert "search" in {variable.name for variable in _dashboard().variables}


def test_a_field_that_no_line_has_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "ERROR_LINES", '| levell = "error"')

    with pytest.raises(UnknownSignal, match="did you mean 'level'"):
        evidence.logs(_service())


def test_a_trace_is_slow_from_where_an_alert_warns() -> None:
    service = _service()

    slow = _panel(evidence.traces(service, _alerts(service)), "traces-slow")
    assert slow.queries[0].expr == f"{{ {SPANS} && duration > 500ms }}"
    assert [panel.key for panel in evidence.traces(service, []).panels] == ["traces-recent", "traces-failed"]


def test_versions_that_appear_are_marked_as_deployments() -> None:
    mark = next(mark for mark in _dashboard().annotations if mark.name == "Deployments")

    assert "obs_build_info" in mark.expr
    assert "unless" in mark.expr
    assert mark.title == "Version {{version}}"


def test_a_service_that_does_not_tell_its_version_has_no_such_marks() -> None:
    service = _service()
    signals = type(service.signals)(signal for signal in service.signals if signal.id != "obs.build")

    marks = derive_dashboard(replace(service, signals=signals), []).annotations
    assert [mark.name for mark in marks] == ["Firing alerts"]


def test_traces_are_asked_for_by_the_attributes_that_the_sdk_sends() -> None:
    known = settings.resolve({"service": "payments", "environment": "production"}, {})
    asked = re.findall(r"resource\.([\w.]+)", SPANS)

    assert asked
    assert set(asked) <= set(resource.attributes(known))


def test_every_query_of_every_panel_asks_for_the_chosen_environment() -> None:
    for file in sorted((SPECS.parents[1] / "dashboards").rglob("*.json")):
        for panel in json.loads(file.read_text(encoding="utf-8"))["panels"]:
            for inner in [panel, *panel.get("panels", [])]:
                for target in inner.get("targets", []):
                    asked = target.get("expr") or target.get("query")
                    assert "environment" in asked, (file.name, inner["title"])
