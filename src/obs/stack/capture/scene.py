"""What every scene needs: an engine that runs, questions to it, and servers that do not do their part."""

from __future__ import annotations

import contextlib
import http.client
import http.server
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from obs.errors import StackError
from obs.stack import process
from obs.stack.engine import Engine
from obs.stack.ports import LOOPBACK, Endpoint, free
from obs.stack.process import Program

#: Seconds; a loaded machine takes its time.
_WITHIN = 90.0


@dataclass(frozen=True)
class Scene:
    """A running engine on a loopback port, with a directory of its own."""

    port: int
    directory: Path
    metrics_path: str = "/metrics"

    def metrics(self) -> str:
        """Return what the engine tells."""
        return ask(self.port, self.metrics_path)

    def await_metrics(self, *wanted: str) -> str:
        """Return what the engine tells, as soon as it holds each line that begins with one of `wanted`.

        Raises `StackError` when it does not come to that.
        """
        deadline = time.monotonic() + _WITHIN
        while True:
            text = self.metrics()
            missing = [want for want in wanted if not _holds(text, want)]
            if not missing:
                return text
            if time.monotonic() > deadline:
                raise StackError(f"never told: {', '.join(missing)}", where=str(self.directory))
            time.sleep(0.2)


def _holds(text: str, wanted: str) -> bool:
    """Tell whether a sample that begins with `wanted` is there, with events if it is a counter."""
    return any(
        line.startswith(wanted) and not (wanted.endswith("{") and line.endswith(" 0"))
        for line in text.splitlines()
    )


@contextlib.contextmanager
def running(
    engine: Engine,
    directory: Path,
    files: Mapping[str, str],
    arguments: Callable[[int], tuple[str, ...]],
    ready_path: str = "/-/ready",
) -> Iterator[Scene]:
    """Run `engine` in `directory` with these files; `arguments` get the port that it must listen on."""
    port = free()
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (directory / name).write_text(text.replace("@PORT@", str(port)), encoding="utf-8")
    program = Program(
        name=engine.name,
        argv=(str(engine.path), *arguments(port)),
        log=directory / "log",
        endpoint=Endpoint(engine.name, port, ready_path),
        directory=directory,
        ready_within=_WITHIN,
    )
    child = process.start(program, tied=True)
    try:
        yield Scene(port, directory)
    finally:
        process.stop(child)


def ask(port: int, path: str, body: str | None = None) -> str:
    """Return the answer of GET, or of POST with a JSON `body`, whatever its status."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=10)
    try:
        if body is None:
            connection.request("GET", path)
        else:
            connection.request("POST", path, body, {"Content-Type": "application/json"})
        return connection.getresponse().read().decode(errors="replace")
    finally:
        connection.close()


@contextlib.contextmanager
def refusing() -> Iterator[int]:
    """Run a server that answers each POST with status 400, and yield its port."""

    class Refusal(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(400)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer((LOOPBACK, 0), Refusal) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()
