"""The middleware in a real server process: one access line, one stack, clean JSON on stdout."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

APP = """
import os, obs
from fastapi import FastAPI
obs.init("shop", log_format="json", otlp_endpoint=os.environ["COLLECTOR"])
app = FastAPI()
@app.get("/items/{item}")
async def item(item: str): return item
@app.get("/boom")
async def boom(): raise ValueError("kaputt")
obs.instrument(app)
"""
SERVE = """
import socket, sys, uvicorn
listener = socket.socket(); listener.bind(("127.0.0.1", 0)); listener.listen(64)
print(listener.getsockname()[1], file=sys.stderr, flush=True)
sys.path.insert(0, "")
from_string = sys.argv[1] == "named"
if not from_string:

    from shop_app import app
uvicorn.Server(uvicorn.Config("shop_app:app" if from_string else app)).run(sockets=[listener])
"""


class Server:
    """A uvicorn process on a free port."""

    def __init__(self, folder: Path, collector: str, how: str) -> None:
        (folder / "shop_app.py").write_text(APP)
        kept = {name: text for name, text in os.environ.items() if not name.startswith(("OBS_", "OTEL_"))}
        self.process = subprocess.Popen(
            [sys.executable, "-c", SERVE, how],
            cwd=folder,
            env={**kept, "COLLECTOR": collector},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stderr is not None
        self.port = int(self.process.stderr.readline())

    def get(self, path: str, **headers: str) -> tuple[int, dict[str, str], str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        with contextlib.closing(connection):
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return answer.status, found, answer.read().decode()

    def stop(self) -> tuple[list[dict[str, Any]], str]:
        """End it as an orchestrator would; return its log lines and what it said on stderr."""
        self.process.send_signal(signal.SIGTERM)
        out, err = self.process.communicate(timeout=30)
        return [json.loads(line) for line in out.splitlines()], err


# Named, the application and with it init() comes after uvicorn has configured its loggers; given
# as an object, before.
@pytest.fixture(params=["named", "object"])
def server(request: Any, tmp_path: Path, collector: Any) -> Iterator[Server]:
    running = Server(tmp_path, collector.url, request.param)
    yield running
    if running.process.poll() is None:
        running.process.kill()
        running.process.communicate()


def test_a_served_application_logs_measures_and_exports(server: Server, collector: Any) -> None:
    status, headers, body = server.get("/items/7", **{"X-Request-ID": "req-1"})
    assert (status, body, headers["x-request-id"]) == (200, '"7"', "req-1")
    status, headers, _ = server.get("/boom")
    assert status == 500
    boom_id = headers["x-request-id"]
    metrics = server.get("/metrics", accept="application/openmetrics-text;version=1.0.0")[2]
    assert 'http_route="/items/{item}"' in metrics
    assert 'trace_id="' in metrics
    assert json.loads(server.get("/health")[2])["status"] == "healthy"

    lines, err = server.stop()
    assert "Traceback" not in err
    access = [line["message"] for line in lines if line.get("event") == "http.request"]
    assert access == ["GET /items/{item} 200", "GET /boom 500"]
    stacks = [line for line in lines if "exception" in line]
    assert len(stacks) == 1
    assert stacks[0]["request_id"] == boom_id
    assert "kaputt" in stacks[0]["exception"]
    assert not [line for line in lines if line.get("logger") == "uvicorn.access"]
    assert all({"timestamp", "level", "service", "message"} <= set(line) for line in lines)
    assert collector.names() == ["GET /items/{item}", "GET /boom"]


def test_uvicorns_own_lines_are_led_through_the_pipeline(server: Server) -> None:
    server.get("/items/1")
    lines, err = server.stop()
    assert "Application startup complete." in [line["message"] for line in lines]
    assert "startup complete" not in err
