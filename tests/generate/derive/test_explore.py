"""Links from an alert into its logs and traces, as they read once Prometheus has filled them in."""

from __future__ import annotations

import json
import urllib.parse
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from obs.generate import pipeline
from obs.generate.derive import explore, logql
from obs.generate.derive.templates import fill
from obs.generate.model import Links, Service
from obs.generate.spec.load import load

SPECS = Path(__file__).parents[3] / "specs" / "shop"


def _service(**changes: Any) -> Service:
    links = Links(grafana="https://g.example", logs="my-logs", traces="my-traces")
    return replace(load([SPECS])[0], **{"links": links, **changes})


def _pane(url: str, environment: str = "production") -> dict[str, Any]:
    """Return what Grafana reads from the address."""
    address = urllib.parse.urlsplit(fill(url, {"environment": environment}, 0.0))
    assert (address.scheme, address.netloc, address.path) == ("https", "g.example", "/explore")
    query = urllib.parse.parse_qs(address.query, strict_parsing=True)
    assert query["schemaVersion"] == ["1"]
    pane: dict[str, Any] = json.loads(query["panes"][0])["obs"]
    assert pane["range"] == {"from": "now-1h", "to": "now"}
    return pane


@pytest.mark.parametrize("environment", ["production", "a b/c&d=e+f", "groß", "50%"])
def test_any_environment_arrives_whole(environment: str) -> None:
    (logs,) = _pane(explore.logs_url(_service()), environment)["queries"]
    (traces,) = _pane(explore.traces_url(_service()), environment)["queries"]

    assert f'environment="{environment}"' in logs["expr"]
    assert f'resource.deployment.environment.name = "{environment}"' in traces["query"]


def test_the_environment_of_a_spec_needs_no_template() -> None:
    service = _service(select={"environment": "demo", "service": "payments"})

    assert "{{" not in explore.logs_url(service) + explore.traces_url(service)
    assert 'environment="demo"' in _pane(explore.logs_url(service))["queries"][0]["expr"]


def test_the_data_sources_are_those_of_the_spec() -> None:
    logs, traces = _pane(explore.logs_url(_service())), _pane(explore.traces_url(_service()))

    assert logs["datasource"] == logs["queries"][0]["datasource"]["uid"] == "my-logs"
    assert traces["datasource"] == traces["queries"][0]["datasource"]["uid"] == "my-traces"
    assert traces["queries"][0]["queryType"] == "traceql"


def test_the_query_of_the_lines_is_logql() -> None:
    expr = _pane(explore.logs_url(_service()))["queries"][0]["expr"]

    assert (
        logql.printed(logql.parse(expr))
        == '{environment="production", service="payments"} | level=~"error|critical"'
    )


@cache
def _rules() -> list[dict[str, Any]]:
    return [
        rule
        for artefact in pipeline.plan([SPECS])
        if artefact.path.parts[:2] in {("alerts", "prometheus"), ("alerts", "loki")}
        for group in yaml.safe_load(artefact.text)["groups"]
        for rule in group["rules"]
        if "alert" in rule and rule["labels"]["service"] != "fleet"
    ]


def test_every_alert_has_every_link_that_a_notification_shows() -> None:
    assert len(_rules()) > 50
    for rule in _rules():
        links = {"runbook_url", "dashboard_url", "logs_url", "traces_url"}
        assert links <= set(rule["annotations"]), rule["alert"]
        assert "tier" in rule["labels"], rule["alert"]


def test_every_alert_says_its_value_or_has_none_worth_saying() -> None:
    silent = {
        rule["alert"]
        for rule in _rules()
        if "$value" not in rule["annotations"]["summary"] + rule["annotations"]["description"]
    }

    # Something is down, missing, silent or broken: their value is one or zero.
    assert silent <= {
        "JobAllTargetsDown", "JobNotDeclared", "LogSilence", "SliMetricAbsent", "TargetDown", "SdkExportFailing",
        "SdkSpansDropped",
    }  # fmt: skip
