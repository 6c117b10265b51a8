"""Health: the shape our users know, checks under a time limit, no detail for strangers."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import obs
from obs.errors import ConfigError
from obs.runtime import endpoints, health
from obs.runtime.redaction import MASK


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


class Deferred:
    """A callable object whose call is asynchronous, which no inspection of the object tells."""

    async def __call__(self) -> None:
        raise ConnectionError


def leave() -> None:
    sys.exit(3)


async def leave_later() -> None:
    sys.exit(3)


async def cancel() -> None:
    raise asyncio.CancelledError


async def refuse_to_stop() -> None:
    for _ in range(20):
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("probe", [Deferred(), leave, leave_later, cancel, refuse_to_stop])
def test_a_probe_that_misbehaves_is_unhealthy_and_hurts_nobody_else(probe: Any) -> None:
    obs.check("other")(lambda: True)
    obs.check("odd", critical=False, timeout=0.2)(probe)
    for _ in range(2):
        status, body = ask("health")
        assert (status, body["status"]) == (200, "degraded")
        assert (body["checks"]["odd"], body["checks"]["other"]) == ("unhealthy", "healthy")


def test_details_of_a_check_are_plain_cleaned_and_cannot_claim_another_status() -> None:
    obs.check("queue")(lambda: {"status": "odd", "depth": 3, "at": object, "token": "t"})
    status, body = ask("health")
    found = body["checks"]["queue"]
    assert (status, found["status"], found["depth"], found["token"]) == (200, "healthy", 3, MASK)
    assert found["at"] == str(object)


def test_a_check_of_the_host_called_memory_is_shown_instead_of_ours() -> None:
    obs.check("memory")(lambda: False)
    status, body = ask("health")
    assert (status, body["checks"]["memory"]) == (503, "unhealthy")


@pytest.mark.parametrize(
    ("name", "timeout"), [("", 1), (5, 1), (len, 1), ("a", 0), ("a", "x"), ("a", float("nan")), ("a", None)]
)
def test_a_check_that_cannot_work_is_refused(name: Any, timeout: Any) -> None:
    with pytest.raises(ConfigError, match="expected"):
        obs.check(name, timeout=timeout)
