"""Health: the shape our users know, checks under a time limit, no detail for strangers."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import obs
from obs.errors import ConfigError
from obs.runtime import endpoints, health


@pytest.fixture(autouse=True)
def _no_checks() -> Iterator[None]:
    health._checks.clear()
    yield
    health._checks.clear()


def ask(endpoint: str) -> tuple[int, dict[str, Any]]:
    answer = asyncio.run(endpoints.answer(endpoint, "", ""))
    return answer.status, json.loads(answer.body)


def test_the_report_has_status_time_uptime_checks_and_memory() -> None:
    @obs.check("database")
    def database() -> None:
        return None

    @obs.check("redis")
    async def redis() -> dict[str, object]:
        return {"latency": 3}

    status, body = ask("health")
    assert status == 200
    assert list(body) == ["status", "timestamp", "uptime", "checks"]
    assert body["status"] == "healthy"
    assert body["uptime"] >= 0
    assert body["checks"]["database"] == "healthy"
    assert body["checks"]["redis"] == {"status": "healthy", "latency": 3}
    assert body["checks"]["memory"]["status"] == "healthy"
    assert 1 < body["checks"]["memory"]["rss"] < 10_000


@pytest.mark.parametrize(
    ("critical", "code", "status", "ready"), [(True, 503, "unhealthy", 503), (False, 200, "degraded", 200)]
)
def test_a_failing_check_counts_by_its_weight(critical: bool, code: int, status: str, ready: int) -> None:
    @obs.check("database", critical=critical)
    def database() -> None:
        raise ConnectionError("password=hunter2")

    answered, body = ask("health")
    assert (answered, body["status"], body["checks"]["database"]) == (code, status, "unhealthy")
    assert "hunter2" not in json.dumps(body)
    assert ask("ready")[0] == ready
    assert ask("live")[0] == 200


def test_false_means_unhealthy() -> None:
    obs.check("queue")(lambda: False)
    assert ask("ready")[0] == 503


@pytest.mark.parametrize("kind", ["plain", "asynchronous"])
def test_a_check_that_hangs_is_given_up_and_not_started_twice(kind: str) -> None:
    release = threading.Event()
    started = []

    if kind == "plain":

        @obs.check("slow", timeout=0.05)
        def slow() -> None:
            started.append(1)
            release.wait(10)
    else:

        @obs.check("slow", timeout=0.05)
        async def later() -> None:
            await asyncio.sleep(10)

    began = time.monotonic()
    assert ask("health")[0] == 503
    assert ask("health")[0] == 503
    release.set()
    assert time.monotonic() - began < 8
    assert len(started) <= 1


def test_those_who_ask_at_the_same_time_share_one_run() -> None:
    started = []

    @obs.check("database", timeout=10)
    def database() -> None:
        started.append(1)
        time.sleep(0.2)

    async def both() -> list[Any]:
        return list(await asyncio.gather(health.report(), health.readiness()))

    assert [report.status for report in asyncio.run(both())] == [200, 200]
    assert len(started) == 1


def test_a_change_is_logged_once_each_way(lines: Callable[[], list[dict[str, Any]]]) -> None:
    obs.init("shop")
    broken = True

    @obs.check("database")
    def database() -> bool:
        return not broken

    ask("health")
    ask("ready")
    broken = False
    ask("health")
    ask("health")
    assert [line["message"] for line in lines()] == ["health check failed", "health check recovered"]


def test_a_check_that_cannot_work_is_refused() -> None:
    with pytest.raises(ConfigError):
        obs.check("x", timeout=0)
    with pytest.raises(ConfigError):
        obs.check("")
