"""Dashboards are read in every shape in which they are found."""

from __future__ import annotations

import json
from typing import Any

import pytest

from obs.lint.read import dashboards
from obs.lint.read.grafana import Dashboard
from obs.lint.read.json_tree import Tree
from obs.lint.source import Source

PANEL = {"id": 1, "type": "timeseries", "title": "Up", "targets": [{"refId": "A", "expr": "sum(up)"}]}


def _read(data: Any) -> Dashboard:
    return dashboards.read(Tree(Source("d.json", json.dumps(data, indent=1))))


def _titles(data: Any) -> list[str]:
    return [panel.title for panel in _read(data).panels]


@pytest.mark.parametrize(
    "data",
    [
        {"title": "T", "panels": [PANEL]},
        {"title": "T", "rows": [{"title": "R", "panels": [PANEL]}]},
        {"dashboard": {"title": "T", "panels": [PANEL]}, "meta": {}},
        {"kind": "Dashboard", "metadata": {}, "spec": {"title": "T", "panels": [PANEL]}},
    ],
    ids=["flat", "rows of old", "answer of the API", "Kubernetes resource"],
)
def test_panels_are_found_in_every_wrapping(data: Any) -> None:
    assert dashboards.is_dashboard(data)
    assert _read(data).title == "T"
    assert _titles(data) == ["Up"]


def test_panels_of_a_collapsed_row_are_panels_with_a_grid_of_their_own() -> None:
    row = {"type": "row", "title": "Errors", "collapsed": True, "panels": [PANEL]}

    _, inner = _read({"title": "T", "panels": [row]}).panels

    assert (inner.title, inner.folded) == ("Up", "Errors")


@pytest.mark.parametrize(
    "data",
    [{}, [], {"panels": 3}, {"panels": []}, {"kind": "Service", "spec": {"ports": []}}, {"signals": []}],
)
def test_other_json_is_no_dashboard(data: Any) -> None:
    assert not dashboards.is_dashboard(data)


@pytest.mark.parametrize("wrap", [lambda spec: spec, lambda spec: {"kind": "Dashboard", "spec": spec}])
def test_the_new_schema_is_told_apart(wrap: Any) -> None:
    assert dashboards.is_v2(wrap({"title": "T", "elements": {}, "layout": {}}))
    assert dashboards.is_dashboard(wrap({"title": "T", "elements": {}, "layout": {}}))
    assert not dashboards.is_v2({"title": "T", "panels": []})


_VARIABLES = {
    "list": [
        {"name": "ds", "type": "datasource", "query": "prometheus"},
        {"name": "logs", "type": "datasource", "query": "loki"},
    ]
}


@pytest.mark.parametrize(
    ("source", "expr", "language", "fixed"),
    [
        ({"type": "prometheus", "uid": "abc"}, "up", "promql", True),
        ({"type": "prometheus", "uid": "${ds}"}, "up", "promql", False),
        ({"uid": "$ds"}, "up", "promql", False),
        ({"uid": "${logs}"}, '{a="b"}', "logql", False),
        ("Prometheus", "up", "promql", True),
        ("${DS_PROM}", "up", "promql", False),
        ("-- Mixed --", "up", "promql", False),
        (None, "up", "promql", False),
        (None, 'sum(rate(up{a=~"${b:regex}"}[$__rate_interval]))', "promql", False),
        (None, 'sum(count_over_time({a="b"}[5m]))', "logql", False),
        (None, '{a="b"}', "logql", False),
        (None, 'sum(count_over_time({a="b"} |= "x" [5m]))', "logql", False),
        ({"type": "elasticsearch", "uid": "abc"}, "up", "", True),
        ("-- Dashboard --", "", "", False),
    ],
)  # fmt: skip
def test_the_data_source_tells_the_language(source: Any, expr: str, language: str, fixed: bool) -> None:
    panel = {"type": "stat", "title": "P", "datasource": source, "targets": [{"refId": "A", "expr": expr}]}
    inputs = [{"name": "DS_PROM", "type": "datasource", "pluginId": "prometheus"}]

    (read,) = _read({"title": "T", "templating": _VARIABLES, "__inputs": inputs, "panels": [panel]}).panels

    assert (read.targets[0].language, read.source.fixed) == (language, fixed)


def test_a_query_of_its_own_data_source_wins_over_that_of_the_panel() -> None:
    target = {"refId": "A", "expr": '{a="b"}', "datasource": {"type": "loki", "uid": "x"}}
    panel = {"type": "stat", "title": "P", "datasource": "-- Mixed --", "targets": [target]}

    assert _read({"title": "T", "panels": [panel]}).panels[0].targets[0].language == "logql"


@pytest.mark.parametrize(
    ("query", "asked"),
    [
        ('label_values(up{job="a"}, instance)', 'up{job="a"}'),
        ("label_values(instance)", None),
        ("query_result(sum by (a) (up))", "sum by (a) (up)"),
        ({"query": "label_values(up, job)", "refId": "X"}, "up"),
        ("metrics(.*)", None),
        ("prod,test", None),
    ],
)
def test_the_query_inside_of_a_variable_is_a_query(query: Any, asked: str | None) -> None:
    variable = {"name": "v", "type": "query", "query": query}
    dashboard = _read({"title": "T", "panels": [], "templating": {"list": [variable]}})

    found = [
        (one.text.value, one.span.source.text[one.span.start : one.span.end]) for one in dashboard.queries
    ]

    assert [text for text, _ in found] == ([asked] if asked else [])
    assert all(json.loads(f'"{written}"') == text for text, written in found)


def test_links_of_dashboards_panels_and_fields_are_found() -> None:
    field = {"defaults": {"links": [{"url": "https://g.example/d/b"}]}}
    override = {"overrides": [{"properties": [{"id": "links", "value": [{"url": "https://g.example/d/c"}]}]}]}
    panels = [
        {**PANEL, "links": [{"url": "https://g.example/d/a"}], "fieldConfig": field},
        {**PANEL, "fieldConfig": override},
    ]
    dashboard = _read(
        {"title": "T", "links": [{"url": "/d/t"}], "panels": panels, "url": "https://no.example"}
    )

    assert sorted(value.text for value in dashboard.links) == [
        "/d/t", "https://g.example/d/a", "https://g.example/d/b", "https://g.example/d/c",
    ]  # fmt: skip


def test_what_has_another_shape_is_passed_over() -> None:
    odd = {
        "title": 3, "uid": None, "panels": [3, {"type": 7, "targets": {"a": 1}, "gridPos": {"x": "a"}}, None],
        "templating": {"list": [None, 3, {"name": 4, "query": 3}]}, "annotations": [], "links": {"url": 3}, "rows": 3,
    }  # fmt: skip

    dashboard = _read(odd)

    assert len(dashboard.panels) == 3
    assert dashboard.queries == ()
