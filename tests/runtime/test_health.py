"""Health: the shape our users know, checks under a time limit, no detail for strangers."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import obs
from obs.errors import ConfigError
from obs.runtime import draining, endpoints, health, probes
from obs.runtime.redaction import MASK


@pytest.fixture(autouse=True)
def _no_checks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(probes, "_TTL", 0.0)
    health._checks.clear()
    yield
    health._checks.clear()
    draining.end()


_way = "loop"


@pytest.fixture(autouse=True, params=["loop", "thread"])
def _each_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything here holds for an ASGI application and for a server with threads."""
    monkeypatch.setattr(sys.modules[__name__], "_way", request.param)


def ask(endpoint: str) -> tuple[int, dict[str, Any]]:
    if _way == "loop":
        answer = asyncio.run(endpoints.answer(endpoint, "", ""))
    else:
        answer = endpoints.answer_in_thread(endpoint, "", "")
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
    started: list[int] = []
    began, asked = threading.Event(), threading.Event()

    @obs.check("database", timeout=60)
    def database() -> None:
        started.append(1)
        began.set()
        asked.wait(60)

    async def both() -> list[Any]:
        asking = asyncio.gather(health.report_on_loop(), health.readiness_on_loop())
        await asyncio.to_thread(began.wait, 60)
        # The second one asks in the same turn of the loop as the first.
        asked.set()
        return list(await asking)

    assert [report.status for report in asyncio.run(both())] == [200, 200]
    assert len(started) == 1


def test_a_change_is_logged_once_each_way(lines: Callable[[], list[dict[str, Any]]]) -> None:
    obs.init("shop", health_ttl=0)
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


@pytest.mark.parametrize("ttl", [-1, "x", float("inf"), float("nan")])
def test_a_time_to_keep_a_result_that_cannot_work_is_refused(ttl: Any) -> None:
    with pytest.raises(ConfigError, match="expected"):
        obs.check("database", ttl=ttl)


@pytest.mark.parametrize("given", [{"critical": "no"}, {"critical": None}, {"timeout": True}, {"ttl": True}])
def test_a_setting_of_another_type_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="expected"):
        obs.check("database", **given)


@pytest.mark.parametrize("probe", [None, 5, {"status": "ok"}])
def test_what_is_no_function_is_refused_as_a_check(probe: Any) -> None:
    with pytest.raises(ConfigError, match="expected a function"):
        obs.check("database")(probe)


@pytest.mark.parametrize("kind", ["plain", "asynchronous"])
def test_a_stampede_runs_a_check_once(kind: str) -> None:
    started = []

    def plain() -> dict[str, int]:
        started.append(1)
        time.sleep(0.05)
        return {"runs": len(started)}

    async def asynchronous() -> dict[str, int]:
        started.append(1)
        await asyncio.sleep(0.05)
        return {"runs": len(started)}

    obs.check("database", timeout=30, ttl=60)(plain if kind == "plain" else asynchronous)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: ask("health"), range(24)))
    assert {answer[1]["checks"]["database"]["runs"] for answer in answers} == {1}
    assert len(started) == 1


def test_a_result_is_kept_as_long_as_the_check_says_else_the_setting() -> None:
    obs.init("shop", log_level="critical", health_ttl=60)
    runs = {"kept": 0, "fresh": 0}

    @obs.check("kept")
    def kept() -> None:
        runs["kept"] += 1

    @obs.check("fresh", ttl=0)
    def fresh() -> bool:
        runs["fresh"] += 1
        return False

    assert [ask("health")[0] for _ in range(3)] == [503, 503, 503]
    assert runs == {"kept": 1, "fresh": 3}


def test_an_answer_that_came_too_late_is_no_answer_for_those_who_ask_next() -> None:
    runs: list[int] = []
    go_on, done, over = threading.Event(), threading.Event(), threading.Event()

    @obs.check("slow", timeout=0.05, ttl=60)
    def slow() -> None:
        # The first run answers once it has been given up, the second one never. Either may begin late.
        runs.append(1)
        if len(runs) > 1:
            over.wait(60)
        go_on.wait(60)
        done.set()

    assert ask("ready")[0] == 503
    go_on.set()
    assert done.wait(60)
    assert ask("ready")[0] == 503
    over.set()


def test_readiness_is_off_while_draining_and_liveness_is_not() -> None:
    asked = []
    obs.check("database")(lambda: asked.append(1))
    assert ask("ready")[0] == 200
    draining.begin()
    assert ask("ready") == (503, {"status": "draining", "checks": {}})
    assert (ask("live")[0], ask("health")[0]) == (200, 200)
    draining.end()
    assert ask("ready")[0] == 200


def test_an_asynchronous_check_runs_on_the_loop_of_the_application_for_other_threads_too() -> None:
    """Its connections belong to that loop: on another one they would fail."""
    loops = []

    @obs.check("pool", ttl=0)
    async def pool() -> None:
        loops.append(asyncio.get_running_loop())

    async def serve() -> list[Any]:
        await health.report_on_loop()
        return [asyncio.get_running_loop(), await asyncio.to_thread(health.report)]

    loop, report = asyncio.run(serve())
    assert (loops, report.status) == ([loop, loop], 200)


def test_a_loop_that_is_gone_does_not_leave_its_checks_waiting() -> None:
    @obs.check("pool", timeout=3)
    async def pool() -> None:
        await asyncio.sleep(0)

    loop = asyncio.new_event_loop()
    loop.run_until_complete(health.report_on_loop())
    # Begun on a loop that then never runs again.
    probes._host = loop
    run = health._checks["pool"].run = probes.Run(loop=loop)
    assert not run.future.done()
    loop.close()
    assert ask("ready")[0] == 200


def test_readiness_turns_off_at_sigterm_while_spans_are_still_being_delivered(
    collector: Any, behaviour: Any
) -> None:
    collector.behaviour = behaviour(delay=60)
    script = (
        "import obs, time\n"
        f"obs.init('shop', otlp_endpoint={collector.url!r}, export_interval=60, shutdown_timeout=60)\n"
        "with obs.span('work'): pass\n"
        "print(obs.serve(0), flush=True)\n"
        # Not one long wait: Python may overlook a signal in the moment before it begins.
        "for _ in range(6000): time.sleep(0.01)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())

        def ready() -> tuple[int, str]:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            connection.request("GET", "/ready")
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())["status"]

        assert ready() == (200, "ready")
        process.terminate()
        assert collector.wait(lambda: collector.deliveries, 60)
        assert ready() == (503, "draining")
        collector.release()
        assert process.wait(60) == -signal.SIGTERM
    assert collector.names() == ["work"]


def test_readiness_is_off_while_a_celery_worker_lets_its_tasks_finish() -> None:
    from celery import Celery, signals

    obs.init("worker", log_level="critical")
    obs.instrument(Celery("worker"))
    signals.worker_shutting_down.send(sender="worker", sig="TERM", how="Warm", exitcode=0)
    assert ask("ready")[0] == 503
    signals.worker_init.send(sender="worker")
    assert ask("ready")[0] == 200


def test_readiness_is_off_while_an_application_shuts_down() -> None:
    from fastapi import FastAPI

    seen = []

    async def note() -> None:
        seen.append((await endpoints.answer("ready", "", "")).status)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await note()
        yield
        await note()

    async def run() -> None:
        app = FastAPI(lifespan=lifespan)
        obs.instrument(app)
        told = iter(["lifespan.startup", "lifespan.shutdown"])

        async def receive() -> dict[str, Any]:
            return {"type": next(told)}

        async def send(message: Any) -> None:
            assert message["type"].endswith(".complete")

        await app({"type": "lifespan", "asgi": {"version": "3.0"}}, receive, send)

    obs.init("shop", log_level="critical")
    draining.begin()
    asyncio.run(run())
    assert seen == [200, 503]
