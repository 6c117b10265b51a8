"""Every query of runbooks and dashboards is accepted by the real Prometheus, the oldest and the newest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest

from obs.generate.derive.guidance.book import derive_runbooks
from obs.generate.derive.dashboards.service import derive_dashboard
from obs.generate.derive.rules import rule_files
from obs.generate.spec.load import load

pytestmark = pytest.mark.engines

SPECS = Path(__file__).parents[2] / "specs" / "shop"


class Stack(Protocol):
    """What the fixture `start_stack` returns."""

    def query(self, expression: str) -> list[dict[str, Any]]: ...


def _queries() -> Iterator[str]:
    for service in load([SPECS]):
        alerts = [alert for file in rule_files(service) for alert in file.alerts]
        for book in derive_runbooks(service, alerts):
            for step in (*book.diagnosis, *book.verification):
                yield from step.queries
        dashboard = derive_dashboard(service, alerts)
        yield from (mark.expr for mark in dashboard.annotations)
        for row in dashboard.rows:
            for panel in row.panels:
                # What Grafana puts in for its variables.
                yield from (query.expr.replace("$__rate_interval", "1m0s") for query in panel.queries)


def test_prometheus_accepts_every_query(start_stack: Callable[..., Stack], route: str) -> None:
    stack = start_stack(route=route)

    queries = sorted(set(_queries()))
    assert len(queries) > 100
    for query in queries:
        stack.query(query)  # a query that Prometheus refuses is answered with an error, which raises
