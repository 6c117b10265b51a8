"""A small HTTP server in a thread, for processes that have no web application of their own."""

from __future__ import annotations

import os
import socket
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn
from typing import Any

from obs.errors import ConfigError, ObsError
from obs.runtime import control, endpoints, guard, live

#: Seconds a client may take to send its request, so that idle connections do not keep threads.
_PATIENCE = 10.0
#: Seconds that a whole exchange may take: who sends a byte now and then is never idle.
_LONGEST = 30.0
#: Seconds that a server which serves no more is given to end its thread.
_LAST = 1.0
#: Clients at once, each of which has a thread; more of them are sent away unheard.
_MOST_CLIENTS = 32


class _Server(ThreadingMixIn, TCPServer):
    # Not http.server's own, which asks the name service for this host's name and waits for an answer.
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = _MOST_CLIENTS

    def __init__(self, address: tuple[str, int]) -> None:
        #: Connection -> when it is ended (monotonic clock).
        self.clients: dict[socket.socket, float] = {}
        self.thread: threading.Thread | None = None
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread, where there are not too many already."""
        if len(self.clients) >= _MOST_CLIENTS:
            self.shutdown_request(request)
            return
        self.clients[request] = time.monotonic() + _LONGEST
        super().process_request(request, client_address)

    def service_actions(self) -> None:
        """End the exchanges that last too long."""
        now = time.monotonic()
        for client, ends in list(self.clients.items()):
            if now >= ends:
                with suppress(OSError):
                    client.shutdown(socket.SHUT_RDWR)

    def shutdown_request(self, request: Any) -> None:
        """Close a connection, and make room for another."""
        self.clients.pop(request, None)
        super().shutdown_request(request)

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002
        """Count what a handler raised instead of printing a stack to stderr."""
        import sys

        error = sys.exc_info()[1]
        # A client that went away is no error of ours.
        if isinstance(error, Exception) and not isinstance(error, (ConnectionError, TimeoutError)):
            guard.report("health", error)


class _Handler(BaseHTTPRequestHandler):
    timeout = _PATIENCE
    server_version = "obs"
    sys_version = ""

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_PUT(self) -> None:
        length = self.headers.get("content-length", "")
        size = int(length) if length.isascii() and length.isdecimal() and len(length) < 10 else -1
        if size < 0:
            self.send_error(411)
        elif size > control.BODY_LIMIT:
            self.send_error(413)
        else:
            self._control((self.headers.get("content-type", ""), self.rfile.read(size)))

    def _control(self, change: tuple[str, bytes] | None, *, with_body: bool = True) -> None:
        settings = live.settings()
        response = None
        if settings is not None and self._path() == control.PATH:
            response = control.answer(settings, self.headers.get("authorization", ""), change)
        if response is None:
            self.send_error(404)
        else:
            self._send(response, with_body=with_body)

    def _answer(self, *, with_body: bool) -> None:
        settings = live.settings()
        endpoint = endpoints.paths(settings).get(self._path()) if settings else None
        if endpoint is None:
            self._control(None, with_body=with_body)
            return
        accept = ", ".join(self.headers.get_all("accept") or ())
        encoding = ", ".join(self.headers.get_all("accept-encoding") or ())
        self._send(endpoints.answer_in_thread(endpoint, accept, encoding), with_body=with_body)

    def _path(self) -> str:
        return self.path.partition("?")[0]

    def _send(self, response: endpoints.Response, *, with_body: bool) -> None:
        self.send_response(response.status)
        for name, value in response.headers:
            self.send_header(name, value)
        self.end_headers()
        if with_body:
            self.wfile.write(response.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's own
        """Keep our own endpoints out of the log."""


_running: dict[tuple[str, int], _Server] = {}


def serve(port: int = 9464, host: str = "127.0.0.1") -> int:
    """Serve metrics and health on `host`:`port` in a daemon thread; return the bound port.

    Port 0 takes a free one. Asking again for a port that this process serves already is harmless.
    Raises `ObsError` before `init()` and when the port cannot be had.
    """
    if live.settings() is None:
        raise ConfigError("serve() was called before init()", hint='obs.init("worker"), then obs.serve()')
    if any(known == (host, port) for known in _running):
        return port
    try:
        server = _Server((host, port))
    except (OSError, OverflowError, TypeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ObsError(
            f"cannot serve metrics and health on {host}:{port}: {reason}",
            hint="stop what listens there, or pass another port (0 takes a free one)",
        ) from None
    bound = int(server.server_address[1])
    _running[host, bound] = server
    endpoints.offer()
    # A short poll keeps shutdown() quick.
    server.thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.1}, name="obs-serve", daemon=True
    )
    server.thread.start()
    return bound


def places() -> list[tuple[str, int]]:
    """Return host and port of every server that runs."""
    return list(_running)


def addresses() -> list[str]:
    """Return host:port of every server that runs."""
    return [f"{host}:{port}" for host, port in _running]


def stop() -> None:
    """Stop every server, free its port and end its thread."""
    while _running:
        _, server = _running.popitem()
        server.shutdown()
        server.server_close()
        if server.thread is not None:
            # It serves no more, and is still there for a moment: whoever forks now would meet it.
            server.thread.join(_LAST)


def _leave_to_parent() -> None:
    """Close, in a forked child, the inherited sockets: the threads that served them are the parent's."""
    while _running:
        _, server = _running.popitem()
        for one in (server.socket, *server.clients):
            one.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_to_parent)
