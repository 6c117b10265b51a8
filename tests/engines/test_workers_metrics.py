"""Servers with several workers: whichever is scraped answers for all, also after some have been killed.

No hook in the server's configuration, no variable but where the shared folder may be.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.openmetrics import parser
from tests.engines import tied

from obs.stack.ports import free

pytestmark = pytest.mark.engines

# Untyped in prometheus_client.
parse: Any = parser.text_string_to_metric_families
WORKERS = 3

_FLASK = """
import os
import obs
from flask import Flask
obs.init("shop")
served = obs.counter("test.served")
level = obs.gauge("test.level")
pool = obs.gauge("test.pool")
pool.track(lambda: 2)
app = Flask("shop")
obs.instrument(app)
@app.get("/")
def home():
    served.inc()
    level.set(1)
    return str(os.getpid())
"""
_FASTAPI = _FLASK.replace("from flask import Flask", "from fastapi import FastAPI").replace(
    'Flask("shop")', "FastAPI()"
).replace("return str(os.getpid())", "return os.getpid()")  # fmt: skip

SERVERS = {
    "gunicorn": (_FLASK, ["gunicorn", "-w", str(WORKERS), "app:app", "--bind"]),
    "gunicorn-preload": (_FLASK, ["gunicorn", "-w", str(WORKERS), "--preload", "app:app", "--bind"]),
    "gunicorn-threads": (_FLASK, ["gunicorn", "-w", str(WORKERS), "--threads", "2", "app:app", "--bind"]),
    "uvicorn": (_FASTAPI, ["uvicorn", "--workers", str(WORKERS), "app:app", "--port"]),
}
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Server:
    """A server under test."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, folder: Path) -> None:
        self.process, self.port, self.folder = process, port, folder

    def get(self, path: str = "/") -> str:
        """Return the body of one request over a connection of its own."""
        with _direct.open(f"http://127.0.0.1:{self.port}{path}", timeout=60) as response:
            return str(response.read().decode())

    def pids(self, requests: int) -> set[int]:
        """Make requests and return the workers that have answered."""
        return {int(self.get()) for _ in range(requests)}

    def scrape(self) -> dict[str, float]:
        """Return the samples that have no label or an interesting one, by name."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/metrics", headers={"accept": "application/openmetrics-text"}
        )
        with _direct.open(request, timeout=60) as response:
            families = parse(response.read().decode())
            return {
                sample.name: sample.value + 0.0
                for family in families
                for sample in family.samples
                if sample.labels.get("http_route", "/") == "/" and "le" not in sample.labels
            }

    def until(self, met: Callable[[], bool]) -> None:
        """Wait until `met`; the limit only ends a failed test."""
        deadline = time.monotonic() + 60
        while True:
            with contextlib.suppress(OSError):
                if met():
                    return
            assert time.monotonic() < deadline, (self.folder.parent / "output").read_text(errors="replace")
            assert self.process.poll() is None, (self.folder.parent / "output").read_text(errors="replace")
            time.sleep(0.1)


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    source, command = SERVERS[request.param]
    (tmp_path / "app.py").write_text(source)
    port = free()
    address = str(port) if command[-1] == "--port" else f"127.0.0.1:{port}"
    folder = tmp_path / "shared"
    environment = {name: text for name, text in os.environ.items() if not name.startswith(("OBS_", "OTEL_"))}
    argv = [sys.executable, "-m", *command, address]
    environment["OBS_METRICS_DIR"] = str(folder)
    with (
        (tmp_path / "output").open("wb") as output,
        tied.serving(argv, cwd=tmp_path, stdout=output, stderr=output, env=environment) as process,
    ):
        running = Server(process, port, folder)
        running.until(lambda: bool(running.get("/live")))
        yield running


def test_every_worker_answers_for_all(server: Server) -> None:
    pids: set[int] = set()
    requests = 0
    while len(pids) < WORKERS and requests < 2_000:
        pids |= server.pids(40)
        requests += 40
    assert len(pids) == WORKERS
    # The client has its answer a moment before the request has been counted.
    server.until(lambda: server.scrape()["http_server_request_duration_seconds_count"] == requests)
    for _ in range(12):
        seen = server.scrape()
        assert seen["test_served_total"] == requests
        assert seen["http_server_request_duration_seconds_count"] == requests
        assert seen["test_level"] == WORKERS
        assert seen["process_start_time_seconds"] < time.time()


def test_killed_workers_lose_nothing_that_was_counted_and_leave_no_files(server: Server) -> None:
    requests = 0
    for _ in range(3):
        victims = server.pids(30)
        requests += 30
        before = server.scrape()["process_cpu_time_seconds_total"]
        for pid in victims:
            os.kill(pid, signal.SIGKILL)
        # All of them anew: each has answered once before the next round.
        server.until(lambda gone=victims: int(server.get("/")) not in gone)  # type: ignore[misc]
        requests = int(server.scrape()["test_served_total"])
        assert server.scrape()["process_cpu_time_seconds_total"] >= before
    assert requests >= 90
    server.pids(30)
    assert server.scrape()["test_served_total"] == requests + 30
    values = list(server.folder.rglob("*.values"))
    assert len(values) <= WORKERS + 3


def test_what_each_worker_tracks_adds_up_whoever_is_scraped(server: Server) -> None:
    pids: set[int] = set()
    while len(pids) < WORKERS:
        pids |= server.pids(20)
    # Read now and then by a thread of each worker, so this takes a moment.
    server.until(lambda: all(server.scrape()["test_pool"] >= 2 * WORKERS for _ in range(6)))


def test_nothing_is_left_of_a_server_that_has_ended_once_the_next_one_starts(server: Server) -> None:
    server.pids(10)
    server.process.terminate()
    server.process.wait(60)
    script = "import obs, os\nobs.init('shop', logs=False)\nif os.fork() == 0: os._exit(0)\nos.wait()\n"
    subprocess.run(
        [sys.executable, "-c", script], check=True, env={**os.environ, "OBS_METRICS_DIR": str(server.folder)}
    )
    assert [path for path in server.folder.glob("*/*") if path.is_dir()] == []
