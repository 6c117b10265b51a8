"""One OTLP/HTTP request under one deadline, whatever the other side does.

OpenTelemetry's own exporter sleeps between its attempts and cannot be interrupted, and its time limit
holds for each read and not for the answer; a dead collector would then hold up the end of the host.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import os
import socket
import time
import zlib
from email.utils import parsedate_to_datetime
from typing import Any, cast
from urllib.parse import urlsplit

from obs._version import __version__
from obs.runtime import inherited
from obs.runtime.otel import proxy
from obs.runtime.otel.answer import Answer
from obs.runtime.redaction import plain_text
from obs.runtime.settings import Settings

#: OTLP's own list of answers after which the same request may be sent again.
_RETRYABLE = frozenset({408, 429, 502, 503, 504})
#: An answer to an export is a few bytes; an error page is cut.
_MOST_ANSWER = 64 * 1024
_GRPC_PORT = 4317


class Sender:
    """Sends bodies to one URL, over a connection that is kept while there is more to send."""

    def __init__(self, url: str, settings: Settings) -> None:
        self.url = url
        parts = urlsplit(url)
        self._host, self._secure = parts.hostname or "", parts.scheme == "https"
        self._port = parts.port or (443 if self._secure else 80)
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._gzip = settings.otlp_compression == "gzip"
        self._headers = _headers(settings, parts.username, parts.password)
        self._context = _tls(settings) if self._secure else None
        self._proxy, self._no_way = _proxy(parts.scheme, self._host, self._port)
        if self._proxy is not None:
            self._proxy.host.encode("idna")
            if not self._secure:
                # Such a proxy passes requests on, and is told the whole URL.
                self._path = f"http://{_netloc(self._host, self._port)}{self._path}"
                self._headers = {**self._headers, **self._proxy.headers}
        # Looking a name up imports this codec; here it happens where a fork is known to wait for imports.
        self._host.encode("idna")
        self._connection: http.client.HTTPConnection | None = None
        #: What `interrupt` acts on: http.client forgets it as soon as the headers of an answer are there.
        self._socket: socket.socket | None = None
        #: Whose connection it is.
        self._process = 0
        self._interrupted = False

    def send(self, body: bytes, timeout: float) -> Answer:
        """Send `body` and return what became of it within `timeout` seconds; never raises."""
        ends = time.monotonic() + timeout
        if self._gzip:
            packer = zlib.compressobj(wbits=31)
            body = packer.compress(body) + packer.flush()
        kept = self._connection is not None
        try:
            return self._exchange(body, ends)
        except Exception as error:  # a connection that another thread closes breaks in many ways
            self.close()
            if not kept or self._interrupted or isinstance(error, TimeoutError):
                return Answer("unreachable", self._why(error))
        # A collector may close a connection that has been idle; a new one tells the truth.
        try:
            return self._exchange(body, ends)
        except Exception as error:
            self.close()
            return Answer("unreachable", self._why(error))

    def interrupt(self) -> None:
        """Make the request under way in another thread fail at once, and with it each one after it."""
        self._interrupted = True
        sock = self._socket
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def proceed(self) -> None:
        """Allow requests again after `interrupt`."""
        self._interrupted = False

    def close(self) -> None:
        """Close the connection; in a forked child, our copy of it."""
        connection, self._connection = self._connection, None
        sock, self._socket = self._socket, None
        if connection is not None and self._process != os.getpid():
            inherited.close(sock)
        elif connection is not None:
            with contextlib.suppress(OSError):
                connection.close()

    def _exchange(self, body: bytes, ends: float) -> Answer:
        if self._interrupted:
            raise ConnectionAbortedError("interrupted")
        if self._no_way:
            raise ConnectionError(self._no_way)
        connection = self._connection
        if connection is None:
            connection = self._connection = self._connect()
            self._process = os.getpid()
        if connection.sock is None:
            connection.timeout = _left(ends)
            if self._proxy is not None and self._secure:
                connection.sock = self._tunnel(self._proxy, ends)
            else:
                connection.connect()
            # A connection that is closed under us must not be opened anew behind our back.
            connection.auto_open = 0
            self._socket = cast("socket.socket", connection.sock)
            connection.sock = cast("Any", _TimedSocket(self._socket))
        timed: Any = connection.sock
        timed.ends = ends
        connection.request("POST", self._path, body, self._headers)
        response = connection.getresponse()
        try:
            content = response.read(_MOST_ANSWER)
        except (OSError, http.client.HTTPException):
            # The status has come, and with it the answer: a second request would deliver it twice.
            content = b""
        if response.will_close or not response.isclosed():
            response.close()
            self.close()
        return self._judge(response, content)

    def _connect(self) -> http.client.HTTPConnection:
        if self._secure:
            return http.client.HTTPSConnection(self._host, self._port, context=self._context)
        if self._proxy is not None:
            return http.client.HTTPConnection(self._proxy.host, self._proxy.port)
        return http.client.HTTPConnection(self._host, self._port)

    def _tunnel(self, way: proxy.Proxy, ends: float) -> Any:
        """Return a connection of TLS through the proxy: http.client would wait for it longer than allowed."""
        sock = socket.create_connection((way.host, way.port), _left(ends))
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socket = sock
            proxy.connect(way, sock, self._host, self._port, ends)
            sock.settimeout(_left(ends))
            context: Any = self._context
            return context.wrap_socket(sock, server_hostname=self._host)
        except BaseException:
            sock.close()
            raise

    def _judge(self, response: http.client.HTTPResponse, body: bytes) -> Answer:
        status = response.status
        if 200 <= status < 300:
            return Answer("delivered", body=body)
        reason = f"HTTP {status} {plain_text(response.reason or '', 64)}".strip()
        if status in _RETRYABLE:
            return Answer("busy", reason, wait=_wait(response.headers.get("Retry-After", "")))
        return Answer("rejected", reason)

    def _why(self, error: Exception) -> str:
        reason = self._reason(error)
        if self._proxy is None:
            return reason
        # Never its credentials.
        return f"{reason} (through the proxy {_netloc(self._proxy.host, self._proxy.port)})"

    def _reason(self, error: Exception) -> str:
        if isinstance(error, TimeoutError):
            return "no answer in time"
        if isinstance(error, ConnectionRefusedError):
            return "connection refused"
        if self._port == _GRPC_PORT:
            return "no HTTP answer; 4317 is the port of OTLP over gRPC, OTLP over HTTP is on 4318"
        if isinstance(error, http.client.RemoteDisconnected):
            return "closed without an answer"
        if isinstance(error, http.client.HTTPException):
            return "an answer that is no HTTP"
        return plain_text(error.strerror if isinstance(error, OSError) and error.strerror else error, 128)


class _TimedSocket:
    """A socket each of whose waits ends at `ends`: http.client's own limit starts anew with each read."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self.ends = 0.0

    def sendall(self, data: Any) -> None:
        self.wait()
        self._sock.sendall(data)

    def wait(self) -> None:
        self._sock.settimeout(_left(self.ends))

    def makefile(self, mode: str) -> io.BufferedReader:  # noqa: ARG002 - as http.client asks for it
        # The file keeps the descriptor open when http.client closes the socket before the body is read.
        return io.BufferedReader(_Reader(self, self._sock.makefile("rb", buffering=0)))

    def close(self) -> None:
        self._sock.close()


class _Reader(io.RawIOBase):
    def __init__(self, timed: _TimedSocket, raw: socket.SocketIO) -> None:
        self._timed, self._raw = timed, raw

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._timed.wait()
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


def _tls(settings: Settings) -> Any:
    """Return the context of TLS: the other side is always verified."""
    import ssl

    context = ssl.create_default_context(cafile=settings.otlp_certificate or None)
    if settings.otlp_client_certificate:
        context.load_cert_chain(settings.otlp_client_certificate, settings.otlp_client_key or None)
    return context


def _proxy(scheme: str, host: str, port: int) -> tuple[proxy.Proxy | None, str]:
    """Return the proxy to go through, or why none can be used."""
    try:
        return proxy.find(scheme, host, port), ""
    except ValueError as error:
        return None, plain_text(error, 128)


def _netloc(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _left(ends: float) -> float:
    left = ends - time.monotonic()
    if left <= 0:
        raise TimeoutError("the time is over")
    return left


def _wait(header: str) -> float:
    """Return the seconds of a Retry-After header, given as a number or as a date (RFC 9110, 10.2.3)."""
    text = header.strip()
    if text.isascii() and text.isdigit() and len(text) < 12:
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (TypeError, ValueError, OverflowError):
        return 0.0


def _headers(settings: Settings, user: str | None, password: str | None) -> dict[str, str]:
    headers = {"Content-Type": "application/x-protobuf", "User-Agent": f"obs-kit/{__version__}"}
    if settings.otlp_compression == "gzip":
        headers["Content-Encoding"] = "gzip"
    if user is not None:
        import base64
        from urllib.parse import unquote

        pair = f"{unquote(user)}:{unquote(password or '')}".encode()
        headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
    return {**headers, **settings.otlp_headers}
