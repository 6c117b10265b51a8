"""Alerts on engines, exporters and conventions: judged by promtool, and one of them provoked on a real Prometheus."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import pytest

from obs.generate import pipeline
from obs.stack.engine import Engine

pytestmark = pytest.mark.engines

PLATFORM = Path(__file__).parents[1] / "golden" / "platform"

#: Windows of seconds, so that nobody waits.
SPEC = """\
version: obs/v1
service: {name: prometheus, team: platform, tier: critical}
capabilities: [prometheus]
telemetry: {interval: 1s}
environments:
  test: {interval: 1s, select: {environment: test}}
alerts:
  PrometheusRuleFailures: {window: 10s, for: 1s}
  PrometheusNoAlertmanager: {for: 1s}
  PrometheusConfigReloadFailed: {for: 1s}
"""
# One series on the left meets two on the right, at each evaluation.
BROKEN = """\
groups:
- name: broken
  rules:
  - record: provoked:failure
    expr: vector(1) + on () (label_replace(vector(1), "a", "1", "", "") or label_replace(vector(1), "a", "2", "", ""))
"""


class Stack(Protocol):
    """What the fixture `start_stack` returns."""

    prometheus: str

    def query(self, expression: str) -> list[dict[str, Any]]: ...

    def await_result(self, expression: str, *, within: float = ...) -> list[dict[str, Any]]: ...


def test_promtool_passes_the_tests_of_exporters_and_conventions(
    route: str, installed: Callable[[str], dict[str, Engine]], tmp_path: Path
) -> None:
    pipeline.write(pipeline.plan([PLATFORM]), tmp_path)
    promtool = str(installed(route)["promtool"].path)
    rules = sorted((tmp_path / "alerts" / "prometheus").glob("*.yml"))
    tests = sorted((tmp_path / "alerts" / "tests").glob("*_test.yml"))
    assert rules
    assert tests

    for arguments in (("check", "rules", "--lint-fatal", *rules), ("test", "rules", *tests)):
        done = subprocess.run(
            [promtool, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=300
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_a_rule_that_fails_fires_the_alert_on_a_real_prometheus(
    start_stack: Callable[..., Stack], route: str, tmp_path: Path
) -> None:
    spec = tmp_path / "prometheus.yml"
    spec.write_text(SPEC, encoding="utf-8")
    pipeline.write(pipeline.plan([spec], environment="test"), tmp_path)
    rules = tmp_path / "alerts" / "prometheus"
    (rules / "broken.yml").write_text(BROKEN, encoding="utf-8")
    targets = tmp_path / "targets.json"
    targets.write_text("[]", encoding="utf-8")
    stack = start_stack(route=route, rules=[rules], target_files=[targets])
    address = stack.prometheus.removeprefix("http://")
    labels = {"service": "prometheus", "environment": "test"}
    targets.write_text(json.dumps([{"targets": [address], "labels": labels}]), encoding="utf-8")

    firing = stack.await_result('ALERTS{alertname="PrometheusRuleFailures", alertstate="firing"}', within=120)

    assert [one["metric"]["rule_group"].rpartition(";")[2] for one in firing] == ["broken"]
    assert firing[0]["metric"].items() >= {**labels, "team": "platform", "severity": "page"}.items()
    # What is well stays silent, on real series.
    healthy = stack.query('count(ALERTS{alertname=~"PrometheusNoAlertmanager|PrometheusConfigReloadFailed"})')
    assert healthy == []
