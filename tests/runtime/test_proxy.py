"""The proxy of the environment on the way to a collector: taken, told its credentials, never waited for too long."""

from __future__ import annotations

import base64
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from tests import certificates

import obs
from obs.runtime.otel import proxy
from obs.runtime.otel.sender import Sender
from obs.runtime.settings import resolve
from obs.stack.certs.folder import Folder

Lines = Callable[[], list[dict[str, Any]]]
#: A name that nothing answers to, so that what arrives has come by the proxy.
FAR = "collector.example"
SECRET = "hunter2" + "xyzzy"


class Proxy:
    """A proxy that leads every request, and every tunnel, to one server of this machine."""

    def __init__(self, port: int, *, refuses: bool = False, hangs: bool = False, drips: bool = False) -> None:
        self.heads: list[bytes] = []
        self._target, self._refuses, self._hangs, self._drips = port, refuses, hangs, drips
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._open: list[socket.socket] = [self._listener]
        self._threads: list[threading.Thread] = []
        self._start(self._accept)

    def close(self) -> None:
        """End every connection, and wait for its threads."""
        for sock in self._open:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for sock in self._open:
            sock.close()

    def _start(self, target: Callable[..., None], *arguments: Any) -> None:
        thread = threading.Thread(target=target, args=arguments)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                accepted, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(accepted)
            self._start(self._serve, accepted)

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError):
            self._lead(client)

    def _lead(self, client: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            part = client.recv(65_536)
            if not part:
                return
            head += part
        self.heads.append(head.partition(b"\r\n\r\n")[0])
        if self._hangs:
            client.recv(1)
            return
        while self._drips:
            client.sendall(b"x")
            time.sleep(0.02)
        if self._refuses:
            client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n")
            client.shutdown(socket.SHUT_RDWR)
            return
        server = socket.create_connection(("127.0.0.1", self._target))
        self._open.append(server)
        if head.startswith(b"CONNECT "):
            client.sendall(b"HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n")
        else:
            method, url, rest = head.split(b" ", 2)
            server.sendall(b" ".join([method, b"/" + url.split(b"/", 3)[3], rest]))
        self._start(_copy, server, client)
        _copy(client, server)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while part := source.recv(65_536):
            target.sendall(part)
    with suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def make() -> Iterator[Callable[..., Proxy]]:
    made: list[Proxy] = []

    def one(port: int = 0, **how: bool) -> Proxy:
        made.append(Proxy(port, **how))
        return made[-1]

    yield one
    for found in made:
        found.close()


def test_an_http_collector_is_reached_through_the_proxy_which_alone_is_told_the_credentials(
    collector: Any, make: Callable[..., Proxy], monkeypatch: pytest.MonkeyPatch
) -> None:
    way = make(collector.port)
    monkeypatch.setenv("HTTP_PROXY", f"http://bob:{SECRET}%21@127.0.0.1:{way.port}")
    obs.init("shop", otlp_endpoint=f"http://{FAR}:4318", logs=False, metrics=False)
    with obs.span("through"):
        pass
    assert obs.flush(10)

    assert collector.names() == ["through"]
    (head,) = way.heads
    lines = head.decode().split("\r\n")
    assert lines[0] == f"POST http://{FAR}:4318/v1/traces HTTP/1.1"
    assert f"Host: {FAR}:4318" in lines
    assert f"Proxy-Authorization: Basic {base64.b64encode(f'bob:{SECRET}!'.encode()).decode()}" in lines


class _Secure:
    """A server of TLS that answers one request after the other with 200."""

    def __init__(self, folder: Path) -> None:
        kept = Folder.of(folder)
        certificates.make(kept)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(kept.certificate_path("collector"), kept.key_path("collector"))
        self.authority = str(kept.authority_certificate_path)
        self.heads: list[bytes] = []
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        try:
            accepted, _ = self._listener.accept()
            accepted.settimeout(20)
            with self._context.wrap_socket(accepted, server_side=True) as secure:
                request = b""
                # Closing with anything left unread would tear down what was answered.
                while not request.endswith(b"the whole body"):
                    part = secure.recv(65_536)
                    if not part:
                        return
                    request += part
                self.heads.append(request)
                secure.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        except OSError:
            pass

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[_Secure]:
    server = _Secure(tmp_path)
    yield server
    server.close()


def test_an_https_collector_is_reached_through_a_tunnel_in_which_the_proxy_reads_nothing(
    secure: _Secure, make: Callable[..., Proxy], monkeypatch: pytest.MonkeyPatch
) -> None:
    way = make(secure.port)
    monkeypatch.setenv("https_proxy", f"bob:{SECRET}@127.0.0.1:{way.port}")
    settings = resolve(
        {"service": "shop", "otlp_certificate": secure.authority, "otlp_headers": {"tenant": "a"}}
    )
    # The certificate is one for this name: it is the collector that is verified, not the proxy.
    sender = Sender("https://collector:4318/v1/traces", settings)
    answer = sender.send(b"the whole body", 10)
    sender.close()

    assert answer.verdict == "delivered", answer.reason
    (head,) = way.heads
    lines = head.decode().split("\r\n")
    assert lines[0] == "CONNECT collector:4318 HTTP/1.1"
    assert sorted(line.partition(":")[0] for line in lines[1:]) == ["Host", "Proxy-Authorization"]
    (inner,) = secure.heads
    assert inner.startswith(b"POST /v1/traces HTTP/1.1\r\n")
    assert b"tenant: a" in inner
    assert b"Proxy-Authorization" not in inner


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_refuses_is_told_without_its_credentials(
    scheme: str, make: Callable[..., Proxy], monkeypatch: pytest.MonkeyPatch, lines: Lines
) -> None:
    way = make(refuses=True)
    monkeypatch.setenv(f"{scheme}_proxy", f"http://bob:{SECRET}@127.0.0.1:{way.port}")
    obs.init("shop", otlp_endpoint=f"{scheme}://{FAR}:4318", metrics=False)
    with obs.span("lost"):
        pass
    assert not obs.shutdown(2)

    written = lines()
    assert any("HTTP 407 Proxy Authentication Required" in line["message"] for line in written), written
    assert SECRET not in str(written)
    assert "bob" not in str(written)


@pytest.mark.parametrize("how", ["hangs", "drips"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_never_ends_its_answer_is_waited_for_no_longer_than_the_deadline(
    scheme: str, how: str, make: Callable[..., Proxy], monkeypatch: pytest.MonkeyPatch
) -> None:
    way = make(**{how: True})
    monkeypatch.setenv(f"{scheme}_proxy", f"http://127.0.0.1:{way.port}")
    sender = Sender(f"{scheme}://{FAR}:4318/v1/traces", resolve({"service": "shop"}))
    began = time.monotonic()
    answer = sender.send(b"body", 0.3)

    assert (answer.verdict, answer.reason) == (
        "unreachable", f"no answer in time (through the proxy 127.0.0.1:{way.port})"
    )  # fmt: skip
    assert time.monotonic() - began < 5


def test_a_request_that_waits_for_a_tunnel_can_be_interrupted(
    make: Callable[..., Proxy], monkeypatch: pytest.MonkeyPatch
) -> None:
    way = make(hangs=True)
    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{way.port}")
    sender = Sender(f"https://{FAR}:4318/v1/traces", resolve({"service": "shop"}))
    answers: list[Any] = []
    thread = threading.Thread(target=lambda: answers.append(sender.send(b"body", 60)))
    thread.start()
    while not way.heads:
        time.sleep(0.01)
    sender.interrupt()
    thread.join(30)
    assert [answer.verdict for answer in answers] == ["unreachable"]


def test_a_proxy_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
    answer = Sender(f"http://{FAR}:4318/v1/traces", resolve({"service": "shop"})).send(b"", 5)
    assert answer.reason == f"connection refused (through the proxy 127.0.0.1:{port})"


def test_a_collector_on_this_machine_is_never_asked_through_a_proxy(
    collector: Any, make: Callable[..., Proxy], monkeypatch: pytest.MonkeyPatch
) -> None:
    way = make(collector.port)
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{way.port}")
    obs.init("shop", otlp_endpoint=collector.url, logs=False, metrics=False)
    with obs.span("near"):
        pass
    assert obs.flush(10)
    assert (collector.names(), way.heads) == (["near"], [])


@pytest.mark.parametrize(
    ("variables", "url", "expected"),
    [
        ({}, "http://far:4318", None),
        ({"HTTP_PROXY": "http://p:3128"}, "http://far:4318", ("p", 3128)),
        ({"HTTP_PROXY": "http://p:3128"}, "https://far:4318", None),
        ({"ALL_PROXY": "http://p"}, "https://far:4318", ("p", 80)),
        ({"HTTPS_PROXY": "upper:1", "https_proxy": "lower:2"}, "https://far:4318", ("lower", 2)),
        ({"HTTP_PROXY": "p:1", "NO_PROXY": "far"}, "http://far:4318", None),
        ({"HTTP_PROXY": "p:1", "NO_PROXY": ".cluster.local, other"}, "http://far.cluster.local:4318", None),
        ({"HTTP_PROXY": "p:1", "NO_PROXY": "far:4317"}, "http://far:4318", ("p", 1)),
        ({"HTTP_PROXY": "p:1", "NO_PROXY": "*"}, "http://far:4318", None),
        ({"HTTP_PROXY": "p:1", "NO_PROXY": "10.0.0.0/8"}, "http://10.1.2.3:4318", None),
        ({"HTTP_PROXY": "p:1", "NO_PROXY": "10.0.0.0/8"}, "http://11.1.2.3:4318", ("p", 1)),
        ({"HTTP_PROXY": "p:1"}, "http://localhost:4318", None),
        ({"HTTP_PROXY": "p:1"}, "http://127.0.0.2:4318", None),
        ({"HTTP_PROXY": "p:1"}, "http://[::1]:4318", None),
        ({"HTTP_PROXY": "p:1", "NO_PROXY": "fd00::/8"}, "http://[fd00::7]:4318", None),
    ],
)
def test_the_variables_are_read_as_elsewhere(
    variables: dict[str, str], url: str, expected: tuple[str, int] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    scheme, _, rest = url.partition("://")
    host, _, port = rest.rpartition(":")
    found = proxy.find(scheme, host.strip("[]"), int(port))
    assert (found[:2] if found else None) == expected


@pytest.mark.parametrize(
    "value", [f"socks5://bob:{SECRET}@p:1080", f"https://bob:{SECRET}@p", f"http://bob:{SECRET}/w@p:1"]
)
def test_a_proxy_of_another_kind_is_said_and_nothing_of_it_is_quoted(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", value)
    answer = Sender(f"http://{FAR}:4318/v1/traces", resolve({"service": "shop"})).send(b"", 5)
    assert answer.verdict == "unreachable"
    assert answer.reason == "the environment names a proxy in a form that is not http://host:port"
