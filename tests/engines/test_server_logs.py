"""Real servers with workers: every line on stdout is one of ours, none is doubled, stderr stays empty."""

from __future__ import annotations

import http.client
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.engines import tied

from obs.stack.ports import free

pytestmark = pytest.mark.engines

ASGI = """
import obs
from fastapi import FastAPI
obs.init("shop", log_format="json")
app = FastAPI()
@app.get("/items/{item}")
async def item(item: str): return item
obs.instrument(app)
"""
WSGI = """
import obs
from flask import Flask
obs.init("shop", log_format="json")
app = Flask(__name__)
@app.get("/items/<item>")
def item(item):
    app.logger.warning("in the application")
    return item
obs.instrument(app)
"""
#: For processes that never import the application: documented in how-to/log-from-servers.md.
CONFIG = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"obs": {"()": "obs.integrations.formatter.JsonFormatter"}},
    "handlers": {"obs": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "obs"}},
    "loggers": {"gunicorn.error": {"propagate": True}},
    "root": {"handlers": ["obs"], "level": "INFO"},
}


def get(port: int, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()


@contextmanager
def serving(folder: Path, command: list[str], port: int) -> Iterator[None]:
    """Run a server until its first answer, and after the block until its end."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith(("OBS_", "OTEL_"))}
    argv, environment = [sys.executable, "-m", *command], {**kept, "OBS_SERVICE": "shop"}
    with (
        (folder / "out").open("wb") as out,
        (folder / "err").open("wb") as err,
        tied.serving(argv, cwd=folder, env=environment, stdout=out, stderr=err) as server,
    ):
        ends = time.monotonic() + 60
        while True:
            try:
                get(port, "/live")
                break
            except OSError:
                assert time.monotonic() < ends, (folder / "err").read_text()
                assert server.poll() is None, (folder / "err").read_text()
                time.sleep(0.1)
        yield


def written(folder: Path) -> list[dict[str, Any]]:
    assert (folder / "err").read_text() == ""
    return [json.loads(line) for line in (folder / "out").read_text().splitlines()]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "asgi_app.py").write_text(ASGI)
    (tmp_path / "wsgi_app.py").write_text(WSGI)
    (tmp_path / "log.json").write_text(json.dumps(CONFIG))
    return tmp_path


def commands(port: int) -> dict[str, list[str]]:
    bound = f"127.0.0.1:{port}"
    uvicorn = ["uvicorn", "asgi_app:app", "--port", str(port)]
    gunicorn = ["gunicorn", "-w", "2", "-b", bound, "--access-logfile", "-", "--no-control-socket"]
    return {
        "uvicorn": uvicorn,
        "uvicorn --workers": [*uvicorn, "--workers", "2", "--log-config", "log.json"],
        "gunicorn": [*gunicorn, "--log-config-json", "log.json", "wsgi_app:app"],
        "gunicorn --preload": [*gunicorn, "--preload", "wsgi_app:app"],
    }  # fmt: skip


@pytest.mark.parametrize("name", ["uvicorn", "uvicorn --workers", "gunicorn", "gunicorn --preload"])
def test_every_line_is_ours_and_a_request_has_one(name: str, folder: Path) -> None:
    port = free()
    with serving(folder, commands(port)[name], port):
        for _ in range(5):
            assert get(port, "/items/7") == 200
    lines = written(folder)
    assert {line["service"] for line in lines} == {"shop"}
    access = [line for line in lines if line["message"].startswith("GET ") or "/items/" in line["message"]]
    assert [line["logger"] for line in access] == ["obs.access"] * 5
    assert {line["route"] for line in access} <= {"/items/{item}", "/items/<item>"}
    said = [line["message"] for line in lines if line["logger"].startswith(("uvicorn", "gunicorn"))]
    assert any("tarted" in message or "tarting" in message for message in said)
    # One line an event: the parent's and the workers' are told apart by their numbers.
    assert len(said) == len(set(said)) or name.endswith("--workers")
    if "gunicorn" in name:
        assert sum(line["message"] == "in the application" for line in lines) == 5
