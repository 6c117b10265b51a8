"""A local receiver for Alertmanager's webhook notifications; keeps what came, with its time."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, final

from obs.errors import StackError

LOOPBACK = "127.0.0.1"
#: A notification of a whole fleet is some hundred kilobytes; more than this is no Alertmanager.
_MAX_BODY_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Notified:
    """One alert inside a notification, as Alertmanager sent it."""

    status: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    #: When it came, in seconds of `time.monotonic`.
    at: float

    def concerns(self, alert: str, labels: Mapping[str, str]) -> bool:
        """Tell whether this is `alert` and carries all of `labels`."""
        wanted = {**labels, "alertname": alert}
        return all(self.labels.get(name) == value for name, value in wanted.items())


class _Inbox:
    """What came so far; written by the server's threads, read by ours."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._alerts: list[Notified] = []

    def add(self, alerts: list[Notified]) -> None:
        with self._lock:
            self._alerts.extend(alerts)

    def all(self) -> list[Notified]:
        with self._lock:
            return list(self._alerts)


@final
class Webhook:
    """A web server on loopback that Alertmanager may post to. Use it as a context manager.

    Raises `StackError` on entering when the port is taken; port 0 takes a free one.
    """

    def __init__(self, port: int = 0) -> None:
        self._wanted = port
        self._inbox = _Inbox()
        self._server: ThreadingHTTPServer | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Webhook:
        inbox = self._inbox

        class Handler(_Handler):
            def keep(self, alerts: list[Notified]) -> None:
                inbox.add(alerts)

        try:
            self._server = _Server((LOOPBACK, self._wanted), Handler)
        except OSError as error:
            raise StackError(
                f"cannot listen for notifications on port {self._wanted}: {error.strerror}",
                f"{LOOPBACK}:{self._wanted}",
                "end the program that uses the port, or choose another port",
            ) from None
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.1,), name="webhook", daemon=True
        )
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None  # noqa: S101 - __enter__ has set both or raised
        assert self._thread is not None  # noqa: S101
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """Where notifications are to be posted."""
        assert self._server is not None, "enter the webhook before asking for its address"  # noqa: S101
        return f"http://{LOOPBACK}:{self._server.server_port}/notifications"

    @property
    def alerts(self) -> list[Notified]:
        """Everything that came so far, oldest first."""
        return self._inbox.all()

    def find(self, wanted: Callable[[Notified], bool]) -> Notified | None:
        """Return the first alert so far that is `wanted`, or None."""
        return next(filter(wanted, self.alerts), None)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # The port of a demo that has just ended may linger in TIME_WAIT; a listener still refuses us.
    allow_reuse_address = True


class _Handler(BaseHTTPRequestHandler):
    #: Seconds a silent peer may hold the connection.
    timeout = 10

    def keep(self, alerts: list[Notified]) -> None:
        raise NotImplementedError

    def do_POST(self) -> None:
        at = time.monotonic()
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > _MAX_BODY_BYTES:
            self._answer(400, "expected a Content-Length of at most 8 MiB")
            return
        try:
            alerts = parse(self.rfile.read(int(length)), at)
        except ValueError as error:
            self._answer(400, str(error))
            return
        self.keep(alerts)
        self._answer(200, "kept")

    def do_GET(self) -> None:
        self._answer(405, "Alertmanager posts here")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the server's signature
        """Say nothing: the terminal belongs to the live status."""

    def _answer(self, status: int, text: str) -> None:
        body = f"{text}\n".encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def parse(body: bytes, at: float) -> list[Notified]:
    """Read the alerts of one notification (webhook format version 4). Raises `ValueError`."""
    try:
        data: Any = json.loads(body)
    except ValueError:
        raise ValueError("expected JSON") from None
    entries = data.get("alerts") if isinstance(data, dict) else None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ValueError("expected an object with a list of alerts")
    return [
        Notified(str(entry.get("status")), _strings(entry, "labels"), _strings(entry, "annotations"), at)
        for entry in entries
    ]


def _strings(entry: Mapping[str, Any], key: str) -> dict[str, str]:
    value = entry.get(key, {})
    if not isinstance(value, dict):
        raise ValueError(f"expected an object under {key}")  # noqa: TRY004 - it is the sender's value
    return {str(name): str(text) for name, text in value.items()}
