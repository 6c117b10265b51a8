"""Real servers are told to stop: every span of every worker has arrived, once, when they have."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.engines import tied

from obs.stack.ports import free

pytestmark = pytest.mark.engines

_ASGI = """
import os
import fastapi
import obs

obs.init("shop")
app = fastapi.FastAPI()

@app.get("/orders/{number}")
async def order(number: int) -> int:
    with obs.span(f"work {number}"):
        return os.getpid()

obs.instrument(app)
"""
_WSGI = """
import os
import flask
import obs

obs.init("shop")
app = flask.Flask("shop")

@app.get("/orders/<int:number>")
def order(number):
    with obs.span(f"work {number}"):
        return str(os.getpid())

obs.instrument(app)
"""
_SCRIPT = """
import sys
import uvicorn
from asgi import app

uvicorn.run(app, port=int(sys.argv[1]), log_config=None)
"""
_REQUESTS = 20
_NO_PROXY = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "asgi.py").write_text(_ASGI)
    (tmp_path / "wsgi.py").write_text(_WSGI)
    (tmp_path / "script.py").write_text(_SCRIPT)
    return tmp_path


@contextmanager
def serving(
    project: Path, collector: Any, command: list[str], port: int
) -> Iterator[subprocess.Popen[bytes]]:
    environment = {
        **os.environ,
        "OBS_OTLP_ENDPOINT": collector.url,
        # Nothing is delivered by waiting for long enough.
        "OBS_EXPORT_INTERVAL": "3600",
    }
    log = project / "log.txt"
    argv = [sys.executable, *command]
    with (
        log.open("wb") as output,
        tied.serving(argv, cwd=project, env=environment, stdout=output, stderr=output) as server,
    ):
        ends = time.monotonic() + 60
        while True:
            try:
                _NO_PROXY.open(f"http://127.0.0.1:{port}/health", timeout=60).read()
                break
            except urllib.error.HTTPError as answer:
                answer.close()
                break
            except OSError:
                assert server.poll() is None, log.read_text()
                assert time.monotonic() < ends, log.read_text()
                time.sleep(0.1)
        yield server


def ask(port: int) -> set[str]:
    """Send the requests, each over a connection of its own; return the processes that answered."""
    return {
        _NO_PROXY.open(f"http://127.0.0.1:{port}/orders/{number}", timeout=60).read().decode()
        for number in range(_REQUESTS)
    }


def stop(server: subprocess.Popen[bytes], number: signal.Signals = signal.SIGTERM) -> int:
    server.send_signal(number)
    return server.wait(60)


def expect(collector: Any, route: str) -> None:
    names = [name for name in collector.names() if not name.endswith("/health")]
    worked = sorted(name for name in names if name.startswith("work"))
    assert worked == sorted(f"work {number}" for number in range(_REQUESTS))
    assert names.count(route) == _REQUESTS


_UVICORN = ["-m", "uvicorn", "asgi:app", "--log-level", "warning", "--port"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("options", [[], ["--lifespan", "off"], ["--loop", "uvloop"]])
def test_uvicorn(project: Path, collector: Any, options: list[str], number: signal.Signals) -> None:
    port = free()
    with serving(project, collector, [*_UVICORN, str(port), *options], port) as server:
        ask(port)
        stop(server, number)
    expect(collector, "GET /orders/{number}")


def test_uvicorn_started_by_a_script_that_has_initialised_before(project: Path, collector: Any) -> None:
    port = free()
    with serving(project, collector, ["script.py", str(port)], port) as server:
        ask(port)
        assert stop(server) in {0, -signal.SIGTERM}
    expect(collector, "GET /orders/{number}")


@pytest.mark.parametrize("options", [[], ["--lifespan", "off"]])
def test_uvicorn_with_two_workers(project: Path, collector: Any, options: list[str]) -> None:
    port = free()
    with serving(project, collector, [*_UVICORN, str(port), "--workers", "2", *options], port) as server:
        ask(port)
        stop(server)
    expect(collector, "GET /orders/{number}")


_GUNICORN = ["-m", "gunicorn", "--workers", "2", "--log-level", "warning", "--bind"]


@pytest.mark.parametrize("preload", [[], ["--preload"]], ids=["late", "preload"])
@pytest.mark.parametrize("kind", ["sync", "gthread"])
def test_gunicorn(project: Path, collector: Any, preload: list[str], kind: str) -> None:
    port = free()
    command = [*_GUNICORN, f"127.0.0.1:{port}", "-k", kind, *preload, "wsgi:app"]
    with serving(project, collector, command, port) as server:
        workers = ask(port)
        assert str(server.pid) not in workers
        assert stop(server) == 0
    expect(collector, "GET /orders/<int:number>")


@pytest.mark.parametrize("preload", [[], ["--preload"]], ids=["late", "preload"])
def test_gunicorn_with_asgi_workers(project: Path, collector: Any, preload: list[str]) -> None:
    port = free()
    command = [*_GUNICORN, f"127.0.0.1:{port}", "-k", _asgi_worker(), *preload, "asgi:app"]
    with serving(project, collector, command, port) as server:
        ask(port)
        assert stop(server) == 0
    expect(collector, "GET /orders/{number}")


def _asgi_worker() -> str:
    """Return the worker that runs ASGI here: uvicorn's until it gave it away, then gunicorn's own."""
    import importlib.util

    for module, kind in (
        ("uvicorn.workers", "uvicorn.workers.UvicornWorker"),
        ("gunicorn.workers.gasgi", "asgi"),
    ):
        if importlib.util.find_spec(module) is not None:
            return kind
    pytest.fail("neither uvicorn nor gunicorn has a worker for ASGI")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGQUIT])
def test_workers_that_gunicorn_restarts_one_by_one(
    project: Path, collector: Any, number: signal.Signals
) -> None:
    port = free()
    command = [*_GUNICORN, f"127.0.0.1:{port}", "--preload", "--max-requests", "4", "wsgi:app"]
    with serving(project, collector, command, port) as server:
        ask(port)
        stop(server, number)
    expect(collector, "GET /orders/<int:number>")


def test_a_dead_collector_does_not_keep_a_server_from_stopping(project: Path, collector: Any) -> None:
    port = free()
    # The promise is a deadline of three seconds; by itself gunicorn lets a worker be for longer than this test.
    command = [*_GUNICORN, f"127.0.0.1:{port}", "--graceful-timeout", "600", "wsgi:app"]
    with serving(project, collector, command, port) as server:
        ask(port)
        collector.behaviour = collector.behaviour._replace(fault="silent")
        assert stop(server) == 0
