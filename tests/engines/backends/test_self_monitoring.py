"""The stack watches itself: panels and rules of specs/stack, asked of the real engines while they work."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.engines.backends.conftest import Backends

pytestmark = pytest.mark.engines

ROOT = Path(__file__).parents[3]
ENGINES = ("alertmanager", "collector", "loki", "prometheus", "tempo")
BOARDS = [ROOT / "dashboards" / "platform" / f"{name}.json" for name in ENGINES]
#: Beside this nothing of a panel is empty while the engines work: what counts a misfortune has no series before it.
QUIET = {
    ("loki", "Lines discarded"): "no line is refused",
    ("prometheus", "Failed rules"): "no rule fails",
    ("tempo", "Spans discarded"): "no span is refused",
    ("collector", "Not delivered"): "nothing fails",
    ("collector", "Dropped"): "no queue is full",
}
#: Asked of the SDK, which no engine has.
UNTOLD = "Versions"
VARIABLES = {"$environment": ".*", "$instance": ".*", "$__rate_interval": "30s"}


def _asked(board: Path) -> Iterator[tuple[str, str]]:
    """Yield title and query of each panel of Prometheus, variables filled in."""
    for panel in json.loads(board.read_text(encoding="utf-8"))["panels"]:
        for target in panel.get("targets", []):
            assert target["datasource"]["type"] == "prometheus"
            query = target["expr"]
            for name, value in VARIABLES.items():
                query = query.replace(name, value)
            yield panel["title"], query


def _work(backends: Backends) -> None:
    """Give every engine something to do, by way of the collector."""
    backends.push_request("busy", trace=secrets.token_bytes(16), server="collector", error=True)
    now = time.time_ns()
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "busy"}}]}
    record = {"timeUnixNano": str(now), "body": {"stringValue": "busy"}}
    point = {"asInt": "1", "timeUnixNano": str(now), "startTimeUnixNano": str(now - 10**9)}
    metric = {
        "name": "busy.runs",
        "sum": {"aggregationTemporality": 2, "isMonotonic": True, "dataPoints": [point]},
    }
    for path, document in (
        ("/v1/logs", {"resourceLogs": [{"resource": resource, "scopeLogs": [{"logRecords": [record]}]}]}),
        (
            "/v1/metrics",
            {"resourceMetrics": [{"resource": resource, "scopeMetrics": [{"metrics": [metric]}]}]},
        ),
    ):
        url = f"http://{backends.site.address('collector', 'otlp_http')}{path}"
        assert backends.ask(url, json.dumps(document).encode(), login=False)[0] == 200


@pytest.mark.parametrize("board", BOARDS, ids=[board.stem for board in BOARDS])
def test_every_panel_of_an_engine_shows_what_the_engine_does(backends: Backends, board: Path) -> None:
    if not backends.has(board.stem):
        pytest.skip(f"not run: {board.stem} (no program is given)")
    waiting = list(_asked(board))
    deadline = time.monotonic() + 90

    while True:
        _work(backends)
        empty = [(title, query) for title, query in waiting if not backends.query(query)]
        waiting = [
            (title, query) for title, query in empty if (board.stem, title) not in QUIET and title != UNTOLD
        ]
        if not waiting:
            break
        assert time.monotonic() < deadline, waiting
        time.sleep(1)


def test_every_rule_of_the_stack_evaluates_without_error(backends: Backends) -> None:
    groups = backends.json("prometheus", "/api/v1/rules")["data"]["groups"]
    rules = [rule | {"file": Path(group["file"]).stem} for group in groups for rule in group["rules"]]

    assert {board.stem for board in BOARDS} <= {rule["file"] for rule in rules}
    assert [(rule["name"], rule["lastError"]) for rule in rules if rule["health"] == "err"] == []
    for rule in rules:
        # Some groups come round four times an hour; nobody waits for them.
        if rule["health"] == "unknown":
            backends.query(rule["query"])


def test_no_engine_that_runs_is_said_to_be_down(backends: Backends) -> None:
    for name in backends.programs:
        backends.await_result(f'up{{service="{name}"}} == 1')

    firing = backends.query('ALERTS{alertstate="firing",category="targets"}')

    assert [one["metric"] for one in firing if one["metric"]["service"] in backends.programs] == []
