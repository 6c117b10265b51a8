"""Every query of runbooks and dashboards is accepted by the real Prometheus, the oldest and the newest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest

from obs.generate.derive.dashboards.fleet import derive_fleet
from obs.generate.derive.dashboards.service import derive_dashboard
from obs.generate.derive.dashboards.slos import derive_objectives
from obs.generate.derive.guidance.book import derive_runbooks
from obs.generate.derive.rules import rule_files
from obs.generate.model import CAPABILITIES, Dashboard
from obs.generate.spec.load import load

pytestmark = pytest.mark.engines

ROOT = Path(__file__).parents[2]
#: A service that does all there is, with an objective that has a budget for each route.
EVERYTHING = f"""
version: obs/v1
service: {{name: everything, team: all}}
capabilities: [{", ".join(CAPABILITIES)}]
slos:
  availability:
    objective: 99.9
    sli: {{ratio: {{total: http.server.requests, bad: {{http.response.status_code: 5xx}}}}}}
    by: [http.route]
jobs:
  nightly: {{schedule: 24h, grace: 2h}}
notify: {{page: pagerduty-all, ticket: slack-all}}
"""


class Stack(Protocol):
    """What the fixture `start_stack` returns."""

    def query(self, expression: str) -> list[dict[str, Any]]: ...


def _queries(folder: Path) -> Iterator[str]:
    (folder / "everything.yml").write_text(EVERYTHING, encoding="utf-8")
    services = load([ROOT / "specs" / "shop", ROOT / "specs" / "stack", folder])
    for service in services:
        alerts = [alert for file in rule_files(service) for alert in file.alerts]
        for book in derive_runbooks(service, alerts):
            for step in (*book.diagnosis, *book.verification):
                yield from step.queries
        yield from _panels(derive_dashboard(service, alerts))
    yield from _panels(derive_fleet(services))
    objectives = derive_objectives(services)
    assert objectives is not None
    yield from _panels(objectives)


def _panels(dashboard: Dashboard) -> Iterator[str]:
    yield from (mark.expr for mark in dashboard.annotations)
    for row in dashboard.rows:
        for panel in row.panels:
            # What Grafana puts in for its variables.
            yield from (
                query.expr.replace("$__rate_interval", "1m0s")
                for query in panel.queries
                if query.source == "prometheus"
            )


def test_prometheus_accepts_every_query(
    start_stack: Callable[..., Stack], route: str, tmp_path: Path
) -> None:
    stack = start_stack(route=route)

    queries = sorted(set(_queries(tmp_path)))
    assert len(queries) > 400
    for query in queries:
        stack.query(query)  # a query that Prometheus refuses is answered with an error, which raises
