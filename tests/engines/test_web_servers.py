"""Applications under the servers that people run: one line a request, one stack an error, ids on all answers."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.engines import tied

from obs.stack.ports import free

pytestmark = pytest.mark.engines

_FLASK = """
import obs
from flask import Flask, Response

obs.init("shop", log_format="json")
app = Flask("shop")

@app.get("/items/<int:number>")
def item(number):
    obs.log.info("looked up")
    return str(number)

@app.get("/boom")
def boom():
    raise ValueError("kaputt")

@app.get("/stream")
def stream():
    return Response(str(number) for number in range(3))

obs.instrument(app)
"""
_PLAIN = """
import obs
from obs.integrations.wsgi import Middleware

obs.init("shop", log_format="json")

def serve(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/boom":
        raise ValueError("kaputt")
    if path.startswith("/items"):
        obs.log.info("looked up")
    start_response("404 Not Found" if path == "/nothing" else "200 OK", [("Content-Type", "text/plain")])
    return (part for part in (b"0", b"1", b"2")) if path == "/stream" else [b"7"]

ROUTES = {"/items/7": "/items/<int:number>", "/boom": "/boom", "/stream": "/stream"}
app = Middleware(serve, resolve=lambda environ: ROUTES.get(environ["PATH_INFO"], ""))
"""
_DJANGO = """
import sys
import obs
from django.conf import settings

obs.init("shop", log_format="json")
settings.configure(
    DEBUG="runserver" in sys.argv, SECRET_KEY="no secret", ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__,
    MIDDLEWARE=["obs.integrations.django.Middleware"], WSGI_APPLICATION="django_site.wsgi",
)

from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse, StreamingHttpResponse
from django.urls import path

def item(request, number):
    obs.log.info("looked up")
    return HttpResponse(str(number))

def boom(request):
    raise ValueError("kaputt")

def stream(request):
    return StreamingHttpResponse(str(number) for number in range(3))

async def later_stream(request):
    async def steps():
        for number in range(3):
            yield str(number)
    return StreamingHttpResponse(steps())

served = later_stream if "uvicorn" in sys.argv[0] else stream
urlpatterns = [path("items/<int:number>", item), path("boom", boom), path("stream", served)]
wsgi, asgi = get_wsgi_application(), get_asgi_application()
"""
_MANAGE = """
import sys
import django_site
from django.core.management import execute_from_command_line

execute_from_command_line(sys.argv)
"""
_GUNICORN = ("-m", "gunicorn", "--bind", "127.0.0.1:{port}", "--access-logfile", "-", "--no-control-socket")
COMMANDS = {
    "flask-gunicorn": (*_GUNICORN, "flask_site:app"),
    "flask-gunicorn-threads": (*_GUNICORN, "--worker-class", "gthread", "--threads", "4", "flask_site:app"),
    "flask-run": ("-m", "flask", "--app", "flask_site", "run", "--port", "{port}"),
    "plain-gunicorn": (*_GUNICORN, "plain_site:app"),
    "django-gunicorn": (*_GUNICORN, "django_site:wsgi"),
    "django-uvicorn": ("-m", "uvicorn", "--port", "{port}", "django_site:asgi"),
    "django-runserver": ("manage.py", "runserver", "--noreload", "{port}"),
}


class Server:
    """A server process on a port of its own."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, out: Path, err: Path) -> None:
        self.process, self.port = process, port
        self._out, self._err = out, err

    def wait(self) -> None:
        """Wait until it answers; the limit only ends a failed test."""
        ends = time.monotonic() + 60
        while True:
            with contextlib.suppress(OSError):
                if self.get("/live")[0] == 200:
                    return
            assert self.process.poll() is None, self._err.read_text()
            assert time.monotonic() < ends, self._err.read_text()
            time.sleep(0.1)

    def get(self, path: str) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        with contextlib.closing(connection):
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()

    def lines(self) -> list[dict[str, Any]]:
        """Return what it logged; the last line may be on its way."""
        text = self._out.read_text()
        return [json.loads(line) for line in text.splitlines(keepends=True) if _is_whole(line)]

    def await_requests(self, count: int) -> None:
        """Wait until that many have ended: the client of a stream has all of it a moment before.

        Those that serve in development end without waiting for their threads.
        """
        ends = time.monotonic() + 60
        while sum(line.get("event") == "http.request" for line in self.lines()) < count:
            assert time.monotonic() < ends, self._out.read_text()
            time.sleep(0.05)

    def stop(self) -> tuple[list[dict[str, Any]], str]:
        """End it as an orchestrator would; return its lines and everything it wrote."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)
        return self.lines(), self._out.read_text() + self._err.read_text()


def _is_whole(line: str) -> bool:
    return line.startswith("{") and line.endswith("\n")


@contextlib.contextmanager
def running(folder: Path, command: tuple[str, ...]) -> Iterator[Server]:
    """Run a server of one of the sites until the end of the block."""
    port, out, err = free(), folder / "out.txt", folder / "err.txt"
    sites = {"flask_site": _FLASK, "plain_site": _PLAIN, "django_site": _DJANGO, "manage": _MANAGE}
    for name, source in sites.items():
        (folder / f"{name}.py").write_text(source)
    kept = {name: text for name, text in os.environ.items() if not name.startswith(("OBS_", "OTEL_"))}
    with out.open("wb") as stdout, err.open("wb") as stderr, tied.serving(
        [sys.executable, *(part.format(port=port) for part in command)],
        cwd=folder, env={**kept, "HOME": str(folder), "PYTHONPATH": str(folder)}, stdout=stdout, stderr=stderr,
    ) as process:  # fmt: skip
        server = Server(process, port, out, err)
        server.wait()
        yield server


@pytest.fixture(params=COMMANDS)
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    with running(tmp_path, COMMANDS[request.param]) as started:
        yield started


def test_each_request_has_one_line_and_each_error_one_stack_and_all_answers_have_ids(server: Server) -> None:
    asked = ("/items/7?token=hunter2", "/boom", "/stream", "/nothing")
    answers = [server.get(path) for path in asked]
    assert [status for status, _, _ in answers] == [200, 500, 200, 404]
    assert (answers[0][2], answers[2][2]) == (b"7", b"012")
    ids = [headers["x-request-id"] for _, headers, _ in answers]
    assert len(set(ids)) == 4

    server.await_requests(len(asked))
    lines, everything = server.stop()
    # A server with threads may end a stream when the next request is through already.
    access = [line for line in lines if line.get("event") == "http.request"]
    access.sort(key=lambda line: ids.index(line["request_id"]))
    assert [(line["route"], line["status"], line["request_id"]) for line in access] == [
        ("/items/<int:number>", 200, ids[0]),
        ("/boom", 500, ids[1]),
        ("/stream", 200, ids[2]),
        ("unmatched", 404, ids[3]),
    ]
    (stack,) = [line for line in lines if "exception" in line]
    assert (stack["request_id"], stack["message"]) == (ids[1], "unhandled exception in GET /boom")
    (own,) = [line for line in lines if line["message"] == "looked up"]
    assert (own["request_id"], own["trace_id"]) == (ids[0], access[0]["trace_id"])
    assert len({line["trace_id"] for line in access}) == 4
    # The servers' own lines would be there in another form, with the query.
    assert "hunter2" not in everything
    assert everything.count("ValueError: kaputt") == 1
