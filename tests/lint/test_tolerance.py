"""No file that somebody has, however odd, ends a check with a traceback."""

from __future__ import annotations

import copy
import json
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from obs.lint import coverage
from obs.lint.project import Project
from obs.lint.read import kinds
from obs.lint.register import all_checks
from obs.lint.source import Source

DASHBOARD: dict[str, Any] = {
    "title": "Shop", "uid": "shop", "schemaVersion": 41, "__inputs": [{"name": "DS", "pluginId": "prometheus"}],
    "templating": {"list": [
        {"name": "env", "type": "query", "query": {"query": "label_values(up, env)"}, "multi": True,
         "includeAll": True, "current": {"value": ["All"]}, "datasource": {"type": "prometheus", "uid": "x"}},
    ]},
    "annotations": {"list": [{"name": "alerts", "expr": "ALERTS", "datasource": "Prometheus"}]},
    "links": [{"url": "/d/other?viewPanel=3"}],
    "rows": [{"title": "old", "panels": [{"id": 4, "type": "graph", "title": "Old", "yaxes": [{"format": "s"}]}]}],
    "panels": [
        {"id": 1, "type": "timeseries", "title": "Up", "gridPos": {"x": 0, "y": 0, "w": 12, "h": 8},
         "fieldConfig": {"defaults": {"unit": "s", "links": [{"url": "http://[x/d/shop"}],
                                      "thresholds": {"steps": [{"value": None}, {"value": 3}, {"value": 1}]}},
                         "overrides": [{"properties": [{"id": "unit", "value": "s"}]}]},
         "targets": [{"refId": "A", "expr": 'rate(up{env="$env"}[$__interval])'}, {"refId": "A", "panelId": 9}]},
        {"type": "row", "title": "R", "panels": [{"id": 1, "type": "stat", "title": "Up"}]},
    ],
}  # fmt: skip
CONFIG: dict[str, Any] = {
    "global": {"slack_api_url": "https://hooks.example.com/abcdefghijklmnopqrstuvwxyz"},
    "route": {"receiver": "a", "group_by": ["..."], "repeat_interval": "7m", "routes": [
        {"receiver": "b", "matchers": ['severity="page"', "service!~a|b"], "continue": True},
        {"match": {"team": "x"}, "match_re": {"tier": "c.*"}, "mute_time_intervals": ["night"]},
    ]},
    "inhibit_rules": [{"source_matchers": ["a=b"], "target_match": {"c": "d"}, "equal": ["service"]}],
    "receivers": [{"name": "a"}, {"name": "b", "webhook_configs": [{"url": "https://u:p@x.example/"}]}],
    "time_intervals": [{"name": "office"}],
}  # fmt: skip
SPEC: dict[str, Any] = {
    "version": "obs/v1", "service": {"name": "shop", "team": "shop", "tier": "critical"},
    "slos": {"availability": {"objective": 99.9, "by": ["http.route"]}}, "alerts": {"TargetDown": {"disabled": "todo"}},
}  # fmt: skip
RULES = Source(
    "rules.yml",
    """
groups:
  - name: shop
    rules:
      - alert: Down
        expr: up == 0
        labels: {severity: page}
        annotations: {runbook_url: 'https://x.example/shop/Down#a', dashboard_url: /d/shop?viewPanel=1}
      - {alert: Watchdog, expr: vector(1), annotations: {runbook_url: 'http://[x/shop/Down', dashboard_url: 'http://[x/d/a'}}
""",
)

_ODD = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 10**12), st.floats(allow_nan=False), st.text(max_size=6),
    st.just([]), st.just({}), st.lists(st.none(), max_size=2), st.just({"name": None}),
)  # fmt: skip


@st.composite
def _changed(draw: st.DrawFn, whole: dict[str, Any]) -> dict[str, Any]:
    """Replace or drop a few values anywhere in `whole`."""
    made = copy.deepcopy(whole)
    for _ in range(draw(st.integers(1, 3))):
        place: Any = made
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            inner = place[key]
            if isinstance(inner, dict | list) and inner and draw(st.booleans()):
                place = inner
                continue
            place[key] = copy.deepcopy(draw(_ODD))
            break
    return made


def _judge(*sources: Source) -> None:
    documents = [document for source in sources for document in kinds.read(source)]
    project = Project(documents)
    for check in all_checks():
        if not check.needs:
            for finding in check.run(project):
                assert finding.message
                _ = getattr(finding.at, "place", finding.at)
    coverage.measure(project)


@settings(max_examples=60, deadline=None)
@given(_changed(DASHBOARD))
def test_odd_dashboards(data: dict[str, Any]) -> None:
    _judge(Source("d.json", json.dumps(data, indent=1)), RULES)


@settings(max_examples=60, deadline=None)
@given(_changed(CONFIG))
def test_odd_configurations(data: dict[str, Any]) -> None:
    _judge(Source("a.yml", yaml.safe_dump(data)), RULES)


@settings(max_examples=40, deadline=None)
@given(_changed(SPEC))
def test_odd_specs(data: dict[str, Any]) -> None:
    _judge(Source("no-such-folder/spec.yml", yaml.safe_dump(data)))


_LINES = st.sampled_from(
    ["# Down", "## Meaning", "## Diagnosis", "## Mitigation", "---", "title: x", "```promql", "up ==", "```", "- a", "",
     "[a](b.md#c)", "[a](#mitigation)", "[a]()", "[a](<http://[x/d/b>)", "TODO", "<a id='x'>", "    code", "> ## Impact", "===", "|a|", "![x](y)"]
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(_LINES, max_size=14), st.sampled_from(["\n", "\r\n"]))
def test_odd_pages(lines: list[str], end: str) -> None:
    _judge(Source("runbooks/shop/Down.md", end.join(lines)), RULES)
