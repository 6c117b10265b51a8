"""What the overviews answer on given series, by promtool: joins, groups and marks mean what they say."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from obs.generate.derive.dashboards.fleet import derive_fleet
from obs.generate.derive.dashboards.slos import derive_objectives
from obs.generate.model import Dashboard, Service
from obs.generate.spec.load import load
from obs.stack.engine import Engine

pytestmark = pytest.mark.engines

SPECS = Path(__file__).parents[2] / "specs" / "shop"
#: What Grafana puts in for "All".
ALL = {"$service": ".*", "$environment": ".*", "$slo": ".*", "$__rate_interval": "5m"}

Answer = Mapping[str, float]


@dataclass(frozen=True)
class Judge:
    """Asks promtool whether expressions have these answers at one time."""

    program: Path
    folder: Path

    def __call__(self, series: Mapping[str, str], asked: Sequence[tuple[str, str, Answer]]) -> str:
        """Return what promtool says; empty when every (expression, time, answer) holds."""
        cases = [
            {
                "expr": _filled(expr),
                "eval_time": at,
                "exp_samples": [{"labels": labels, "value": value} for labels, value in answer.items()],
            }
            for expr, at, answer in asked
        ]
        test = {
            "interval": "1m",
            "input_series": [{"series": name, "values": values} for name, values in series.items()],
            "promql_expr_test": cases,
        }
        file = self.folder / "overview_test.yml"
        # JSON is YAML.
        document = {"rule_files": [], "evaluation_interval": "1m", "tests": [test]}
        file.write_text(json.dumps(document), encoding="utf-8")
        done = subprocess.run(
            [str(self.program), "test", "rules", str(file)],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        return done.stdout + done.stderr if done.returncode else ""


@pytest.fixture
def judge(route: str, installed: Callable[[str], dict[str, Engine]], tmp_path: Path) -> Judge:
    return Judge(installed(route)["promtool"].path, tmp_path)


def _filled(expr: str) -> str:
    for variable, text in ALL.items():
        expr = expr.replace(variable, text)
    return expr


def _ask(dashboard: Dashboard, key: str, legend: str = "") -> str:
    panel = next(panel for row in dashboard.rows for panel in row.panels if panel.key == key)
    return next(query.expr for query in panel.queries if not legend or query.legend == legend)


def _services() -> list[Service]:
    return load([SPECS])


def test_a_line_of_the_fleet_holds_what_its_service_does(judge: Judge) -> None:
    services = _services()
    classic = replace(services[0], name="old", dialect="classic", select={"service": "old"}, slos=())
    fleet = derive_fleet([*services, classic])
    http = 'service="payments",environment="prod",instance="a"'
    series = {
        f"up{{{http}}}": "1x20",
        'up{service="payments",environment="prod",instance="b"}': "0x20",
        'up{service="worker",environment="prod",instance="c"}': "0x20",
        f'http_server_request_duration_seconds_count{{{http},http_response_status_code="200"}}': "0+54x20",
        f'http_server_request_duration_seconds_count{{{http},http_response_status_code="500"}}': "0+6x20",
        'http_requests_total{service="old",environment="prod",status="200"}': "0+120x20",
        'job_runs_total{service="worker",environment="prod",result="failure"}': "0+30x20",
        'job_runs_total{service="worker",environment="prod",result="success"}': "0+90x20",
        'ALERTS{alertstate="firing",alertname="A",severity="page",service="worker",environment="prod"}': "1x20",
        'ALERTS{alertstate="pending",alertname="B",severity="page",service="worker",environment="prod"}': "1x20",
    }
    payments, worker, old = (
        f'{{service="{name}", environment="prod"}}' for name in ("payments", "worker", "old")
    )

    assert (
        judge(
            series,
            [
                (_ask(fleet, "fleet-services", "Up"), "15m", {payments: 0.5, worker: 0}),
                (_ask(fleet, "fleet-services", "Traffic"), "15m", {payments: 1, old: 2, worker: 2}),
                (_ask(fleet, "fleet-services", "Errors"), "15m", {payments: 0.1, old: 0, worker: 0.25}),
                (_ask(fleet, "fleet-services", "Firing alerts"), "15m", {worker: 1}),
                (_ask(fleet, "fleet-up"), "15m", {"{}": 1}),
                (_ask(fleet, "fleet-down"), "15m", {"{}": 1}),
                (_ask(fleet, "fleet-pages"), "15m", {"{}": 1}),
                (_ask(fleet, "fleet-tickets"), "15m", {"{}": 0}),
            ],
        )
        == ""
    )


def test_a_version_is_marked_when_it_appears_and_when_it_comes_back(judge: Judge) -> None:
    mark = next(mark for mark in derive_fleet(_services()).annotations if mark.name == "Deployments")
    target = 'service="payments",environment="prod",instance="a"'
    series = {
        # Minute 20 brings version 2, minute 40 brings version 1 back.
        f'obs_build_info{{{target},version="1"}}': "1x19 stale _x19 1x20",
        f'obs_build_info{{{target},version="2"}}': "_x20 1x19 stale _x19",
    }
    one, two = (f'{{service="payments", environment="prod", version="{version}"}}' for version in "12")

    assert (
        judge(
            series,
            [
                (mark.expr, "15m", {}),
                (mark.expr, "20m", {two: 1}),
                (mark.expr, "30m", {}),
                (mark.expr, "41m", {one: 1}),
                (mark.expr, "50m", {}),
            ],
        )
        == ""
    )


def test_each_group_of_an_objective_has_a_line_of_its_own(judge: Judge) -> None:
    overview = derive_objectives(_services())
    assert overview is not None
    slo = 'sloth_id="payments-availability",sloth_service="payments",sloth_slo="availability"'
    good, bad = (
        f'{slo},service="payments",environment="prod",http_route="{route}"' for route in ("/a", "/b")
    )
    series = {
        f"slo:period_error_budget_remaining:ratio{{{good}}}": "0.5x20",
        f"slo:period_error_budget_remaining:ratio{{{bad}}}": "-0.25x20",
        f"slo:current_burn_rate:ratio{{{good}}}": "30x20",
        f"slo:current_burn_rate:ratio{{{bad}}}": "0.5x20",
        f'slo:objective:ratio{{{slo},service="payments"}}': "0.999x20",
        f'slo:time_period:days{{{slo},service="payments"}}': "30x20",
    }
    first, second = f"{{{good}}}", f"{{{bad}}}"

    assert (
        judge(
            series,
            [
                (_ask(overview, "slos-budgets", "Budget left"), "10m", {first: 0.5, second: -0.25}),
                (_ask(overview, "slos-budgets", "Burn rate"), "10m", {first: 30, second: 0.5}),
                (_ask(overview, "slos-budgets", "Objective"), "10m", {first: 0.999, second: 0.999}),
                # Half of the budget of 30 days, burning 30 times too fast.
                (_ask(overview, "slos-budgets", "Spent in"), "10m", {first: 0.5}),
                (_ask(overview, "slos-count"), "10m", {"{}": 2}),
                (_ask(overview, "slos-broken"), "10m", {"{}": 1}),
                (_ask(overview, "slos-burning"), "10m", {"{}": 1}),
                (_ask(overview, "slos-soon"), "10m", {"{}": 1}),
            ],
        )
        == ""
    )
