"""The stack watches itself: panels and rules of specs/stack, asked of the real engines while they work."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.engines.backends.conftest import Backends

pytestmark = pytest.mark.engines

ROOT = Path(__file__).parents[3]
BOARDS = sorted((ROOT / "dashboards" / "platform").glob("*.json"))
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
    deadline = time.monotonic() + 120

    def rules() -> list[dict[str, Any]]:
        groups = backends.json("prometheus", "/api/v1/rules")["data"]["groups"]
        return [rule | {"file": Path(group["file"]).stem} for group in groups for rule in group["rules"]]

    loaded = rules()
    while any(rule["health"] == "unknown" for rule in loaded):
        assert time.monotonic() < deadline, "rules that were never evaluated"
        time.sleep(0.5)
        loaded = rules()

    assert {board.stem for board in BOARDS} <= {rule["file"] for rule in loaded}
    assert [(rule["name"], rule["lastError"]) for rule in loaded if rule["health"] != "ok"] == []


def test_no_engine_that_runs_is_said_to_be_down_or_broken(backends: Backends) -> None:
    backends.await_result('up{job=~"stack.*",service="loki"} == 1')
    watched = [name for name in backends.programs if name != "prometheus"]

    false = [
        alert["labels"]
        for alert in backends.json("prometheus", "/api/v1/alerts")["data"]["alerts"]
        # Its receivers are examples, so that Alertmanager rightly says that they cannot be reached.
        if alert["labels"].get("service") in watched
        and alert["labels"]["alertname"] != "AlertmanagerNotifyFailing"
    ]

    assert [labels for labels in false if labels.get("severity") == "page"] == []
