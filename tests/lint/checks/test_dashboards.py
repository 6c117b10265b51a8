"""What each check of dashboards complains of, and what it leaves alone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from obs.lint.check import Finding
from obs.lint.project import Project
from obs.lint.read import kinds
from obs.lint.register import find
from obs.lint.source import Source

PROM = {"type": "prometheus", "uid": "${datasource}"}
DS = {"name": "datasource", "type": "datasource", "query": "prometheus"}


def _panel(expr: str = "up", **more: Any) -> dict[str, Any]:
    base = {"id": 1, "type": "timeseries", "title": "P", "datasource": PROM}
    return {**base, "targets": [{"refId": "A", "expr": expr}], **more}


def _findings(check: str, *dashboards: dict[str, Any]) -> list[Finding]:
    sources = [
        Source(f"d{number}.json", json.dumps({"title": "T", "uid": f"u{number}", **one}))
        for number, one in enumerate(dashboards)
    ]
    documents = [document for source in sources for document in kinds.read(source)]
    assert len(documents) == len(dashboards)
    return list(find(check).run(Project(documents)))


def _of_panels(check: str, *panels: dict[str, Any]) -> list[Finding]:
    return _findings(check, {"panels": list(panels), "templating": {"list": [DS]}})


_WITHOUT: dict[str, Any] = {"targets": []}
_MYSQL = {"type": "mysql", "uid": "${datasource}"}


@pytest.mark.parametrize(
    ("check", "panel", "count"),
    [
        ("panel-without-query", _panel(type="text", **_WITHOUT), 0),
        ("panel-without-query", _panel(libraryPanel={"uid": "x"}, **_WITHOUT), 0),
        ("panel-without-query", _panel(**_WITHOUT), 1),
        ("panel-without-query", _panel(targets=[{"refId": "A", "expr": "up", "hide": True}]), 1),
        ("panel-without-query", _panel(targets=[{"refId": "A", "expr": "up"}, {"refId": "B", "expr": " "}]), 1),
        ("panel-without-query", _panel(datasource=_MYSQL, targets=[{"refId": "A", "rawSql": "select 1"}]), 0),
        ("panel-without-query", _panel(datasource={"uid": "-- Dashboard --"}, targets=[{"refId": "A", "panelId": 1}]), 0),
        ("panel-without-query", _panel(datasource={"uid": "-- Dashboard --"}, targets=[{"refId": "A", "panelId": 2}]), 1),
        ("panel-without-unit", _panel(type="table"), 0),
        ("panel-without-unit", _panel(fieldConfig={"defaults": {"mappings": [{"type": "value"}]}}), 0),
        ("panel-without-unit", _panel(fieldConfig={"overrides": [{"properties": [{"id": "unit", "value": "s"}]}]}), 0),
        ("panel-without-unit", _panel(type="graph", yaxes=[{"format": "s"}, {"format": "short"}]), 0),
        ("panel-without-unit", _panel(type="singlestat", format="s"), 0),
        ("panel-without-unit", _panel(fieldConfig={"defaults": {"unit": ""}}), 1),
        ("panel-without-title", _panel(title=" "), 1),
        ("panel-without-title", _panel(type="text", title=""), 0),
        ("data-source-fixed", _panel(datasource="Prometheus"), 1),
        ("data-source-fixed", _panel(datasource="$datasource"), 0),
        ("data-source-fixed", _panel(datasource={"uid": "-- Mixed --"}), 0),
        ("data-source-fixed", _panel(datasource=None), 0),
        ("data-source-missing", _panel(datasource=None), 1),
        ("data-source-missing", _panel(datasource=None, targets=[{"refId": "A", "expr": "up", "datasource": PROM}]), 0),
        ("panel-rate-window", _panel("rate(x[$__rate_interval])"), 0),
        ("panel-rate-window", _panel("max_over_time(rate(x[5m])[1h:5m])"), 1),
        ("panel-rate-window", _panel("max_over_time(x[1h])"), 0),
        ("panel-rate-window", _panel("sum(increase(x[${__interval}]))"), 1),
        ("panel-rate-window", _panel(targets=[{"refId": "A", "expr": "increase(x[1d])", "instant": True}]), 0),
        ("panel-overlap", _panel(gridPos={"x": 20, "y": 0, "w": 8, "h": 8}), 1),
        ("panel-overlap", _panel(gridPos={"x": 0, "y": 0, "w": 8, "h": 0}), 1),
        ("panel-overlap", _panel(gridPos={"x": 0, "y": 0, "w": 8, "h": 10**9}), 0),
        ("panel-removed-plugin", _panel(type="singlestat"), 1),
        ("threshold-shape", _panel(fieldConfig={"defaults": {"thresholds": {"steps": ""}}}), 1),
        ("threshold-shape", _panel(fieldConfig={"defaults": {"thresholds": {"steps": [{"value": None}]}}}), 0),
        ("threshold-shape", _panel(fieldConfig={"defaults": {"thresholds": {"steps": [{}, {"value": "3"}]}}}), 1),
        ("variable-undefined", _panel("rate(x[$__rate_interval]) and y[$__range]"), 0),
        ("variable-undefined", _panel('label_replace(up, "a", "$1", "b", "(.*)")'), 0),
        ("variable-undefined", _panel("up{a=~'[[a]]'} or up{b='${b:regex}'}"), 2),
        ("query-ref-duplicate", _panel(targets=[{"expr": "a"}, {"expr": "b"}]), 0),
    ],
)  # fmt: skip
def test_a_panel_alone(check: str, panel: dict[str, Any], count: int) -> None:
    assert len(_of_panels(check, panel)) == count


def test_panels_overlap_only_in_one_grid() -> None:
    grid: dict[str, Any] = {"gridPos": {"x": 0, "y": 0, "w": 12, "h": 8}}
    row = {
        "type": "row",
        "title": "R",
        "panels": [_panel(**grid)],
        "gridPos": {"x": 0, "y": 8, "w": 24, "h": 1},
    }

    assert _of_panels("panel-overlap", _panel(**grid), row) == []
    assert len(_of_panels("panel-overlap", _panel(**grid), _panel(**grid))) == 1


def test_repeated_panels_and_other_queries_are_no_duplicates() -> None:
    assert _of_panels("panel-duplicate", _panel("a"), _panel("b")) == []
    assert _of_panels("panel-duplicate", _panel("a"), _panel("a", repeat="env")) == []
    assert len(_of_panels("panel-duplicate", _panel("a  +  b"), _panel("a + b"))) == 1


def _with_variable(check: str, expr: str = "up", **variable: Any) -> list[Finding]:
    variables = {"list": [DS, {"name": "env", "type": "query", "query": "label_values(up, env)", **variable}]}
    return _findings(check, {"panels": [_panel(expr)], "templating": variables})


@pytest.mark.parametrize(
    ("variable", "severities"),
    [
        ({"includeAll": False}, []),
        ({"includeAll": True, "allValue": ".+"}, []),
        ({"includeAll": True}, ["info"]),
        ({"includeAll": True, "type": "custom", "query": "a,b"}, []),
        ({"includeAll": True, "type": "custom", "query": " "}, [None]),
        ({"includeAll": True, "type": "custom", "query": "a", "current": {"value": "All"}}, ["error"]),
        ({"includeAll": True, "type": "custom", "query": "a", "current": {"value": ["All"]}}, ["error"]),
        ({"includeAll": True, "type": "custom", "query": "a", "current": {"value": ["$__all"]}}, []),
    ],
)
def test_all_of_a_variable(variable: dict[str, Any], severities: list[str | None]) -> None:
    assert [one.severity for one in _with_variable("variable-all-empty", **variable)] == severities


@pytest.mark.parametrize(
    ("expr", "variable", "count"),
    [
        ('up{env="$env"}', {"multi": True}, 1),
        ('up{env!="${env}"}', {"includeAll": True}, 1),
        ('up{env="$env"}', {}, 0),
        ('up{env=~"$env"}', {"multi": True}, 0),
        ('up{env="prod-$env"}', {"multi": True}, 0),
        ('up{env="$other"}', {"multi": True}, 0),
    ],
)
def test_several_values_at_once(expr: str, variable: dict[str, Any], count: int) -> None:
    assert len(_with_variable("variable-multi-equals", expr, **variable)) == count


@pytest.mark.parametrize(
    ("expr", "variable", "count"),
    [
        ("up", {}, 1),
        ('up{env="$env"}', {}, 0),
        ("up", {"type": "adhoc"}, 0),
        ("up", {"type": "datasource"}, 0),
    ],
)
def test_a_variable_that_nothing_asks(expr: str, variable: dict[str, Any], count: int) -> None:
    assert len(_with_variable("variable-unused", expr, **variable)) == count


def test_a_fixed_data_source_is_repaired_only_where_one_variable_can_be_meant() -> None:
    fixed = _panel(datasource={"type": "prometheus", "uid": "abc"})
    other = {"name": "metrics", "type": "datasource", "query": "prometheus"}
    logs = {"name": "logs", "type": "datasource", "query": "loki"}

    def fixes(*variables: dict[str, Any]) -> list[bool]:
        found = _findings("data-source-fixed", {"panels": [fixed], "templating": {"list": list(variables)}})
        return [one.fix is not None for one in found]

    assert fixes(DS, logs) == [True]
    assert fixes(DS, other) == [False]
    assert fixes(logs) == [False]


def test_one_fixed_data_source_of_a_panel_and_its_query_is_one_finding() -> None:
    fixed = {"type": "prometheus", "uid": "abc"}
    panel = _panel(datasource=fixed, targets=[{"refId": "A", "expr": "up", "datasource": fixed}])

    assert len(_of_panels("data-source-fixed", panel)) == 1


@pytest.mark.parametrize(
    ("uid", "severities"),
    [("", ["info"]), ("a" * 41, [None]), ("a b", [None]), ("shop-1_x", [])],
)
def test_the_name_of_a_dashboard_in_links(uid: str, severities: list[str | None]) -> None:
    assert [one.severity for one in _findings("dashboard-uid", {"uid": uid, "panels": []})] == severities


@pytest.mark.parametrize(
    ("url", "count"),
    [
        ("/d/u1", 0),
        ("/d/u1/some-title?viewPanel=7", 0),
        ("/d/u1?viewPanel=panel-7", 0),
        ("/d/u1?viewPanel=8", 1),
        ("/d/nowhere", 1),
        ("/d/${uid}", 0),
        ("https://grafana.example.com/d/u1?viewPanel=7", 0),
        ("https://grafana.example.com/d/nowhere", 0),
        ("https://example.com/explore", 0),
    ],
)
def test_links_to_dashboards(url: str, count: int) -> None:
    first = {"panels": [], "links": [{"url": url}]}

    assert len(_findings("dashboard-link-dead", first, {"panels": [_panel(id=7)]})) == count


def test_a_host_that_holds_one_of_our_dashboards_holds_all() -> None:
    links = [{"url": "https://g.example/d/u0"}, {"url": "https://g.example/d/nowhere"}]

    (found,) = _findings("dashboard-link-dead", {"panels": [], "links": links})

    assert "'nowhere'" in found.message
