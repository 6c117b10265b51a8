"""Servers of WSGI applications: one that keeps what it would have sent, and the real one of the standard library."""

from __future__ import annotations

import contextlib
import http.client
import io
import threading
from collections.abc import Callable, Iterator
from typing import Any
from wsgiref import simple_server, util

Start = Callable[..., Callable[[bytes], object]]


class Answer:
    """What a WSGI server would have sent."""

    def __init__(
        self, app: Any, path: str = "/", method: str = "GET", *, take: int = -1, **environ: Any
    ) -> None:
        self.status = ""
        self.headers: dict[str, str] = {}
        self.body = b""
        self.error: BaseException | None = None
        self.seen: dict[str, Any] = {"REQUEST_METHOD": method, "PATH_INFO": path, "REMOTE_ADDR": "10.0.0.9"}
        util.setup_testing_defaults(self.seen)
        self.seen.update(environ)
        written = io.BytesIO()

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            self.status, self.headers = status, {name.lower(): value for name, value in headers}
            return written.write

        body: Any = ()
        try:
            body = app(self.seen, start)
            for number, part in enumerate(body):
                written.write(part)
                if number + 1 == take:
                    break
        except Exception as error:
            self.error = error
        finally:
            if hasattr(body, "close"):
                body.close()
        self.body = written.getvalue()


class _Quiet(simple_server.WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


@contextlib.contextmanager
def serving(app: Any) -> Iterator[int]:
    server = simple_server.make_server("127.0.0.1", 0, app, handler_class=_Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def fetch(port: int, path: str) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    with contextlib.closing(connection):
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
