"""Spans over TLS: the collector is verified, and our own certificate is shown when it asks."""

from __future__ import annotations

import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import obs
from obs.errors import ConfigError

pytestmark = [pytest.mark.engines, pytest.mark.usefixtures("stopped")]


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.server.requests.append(self.connection.getpeercert())  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests: list[Any] = []
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of handshakes that failed: some tests make them."""


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with certificates that sign themselves: server.pem and client.pem, and their keys."""
    folder = tmp_path_factory.mktemp("keys")
    for name in ("server", "client"):
        subprocess.run(
            [
                "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}",
                "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", f"{name}.key", "-out", f"{name}.pem",
            ],
            cwd=folder, check=True, capture_output=True,
        )  # fmt: skip
    return folder


@pytest.fixture
def serve(keys: Path) -> Iterator[Callable[..., _Server]]:
    started: list[tuple[_Server, threading.Thread]] = []

    def start(*, mutual: bool = False) -> _Server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(keys / "server.pem", keys / "server.key")
        if mutual:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(keys / "client.pem")
        server = _Server(context)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        started.append((server, thread))
        return server

    yield start
    for server, thread in started:
        server.shutdown()
        server.server_close()
        thread.join()


def send(server: _Server, **settings: Any) -> bool:
    port = server.server_address[1]
    obs.init("shop", otlp_endpoint=f"https://127.0.0.1:{port}", **settings)
    with obs.span("x"):
        pass
    return obs.flush(10)


def test_a_collector_with_a_certificate_of_our_authority_gets_the_spans(
    serve: Callable[..., _Server], keys: Path
) -> None:
    server = serve()
    assert send(server, otlp_certificate=keys / "server.pem", otlp_compression="gzip")
    assert len(server.requests) == 1


def test_one_that_nobody_vouches_for_gets_nothing_and_the_reason_is_told(
    serve: Callable[..., _Server], capfd: pytest.CaptureFixture[str]
) -> None:
    server = serve()
    assert not send(server, metrics=False)
    obs.shutdown(1)
    assert server.requests == []
    assert "certificate" in capfd.readouterr().out.lower()


def test_one_with_a_certificate_for_somebody_else_gets_nothing(
    serve: Callable[..., _Server], keys: Path
) -> None:
    server = serve()
    assert not send(server, otlp_certificate=keys / "client.pem", log_level="critical")
    assert server.requests == []


def test_our_own_certificate_is_shown_as_the_standard_variables_name_it(
    serve: Callable[..., _Server], keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(mutual=True)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", str(keys / "server.pem"))
    assert not send(server, log_level="critical")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", str(keys / "client.pem"))
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY", str(keys / "client.key"))
    obs.shutdown(1)
    assert send(server, log_level="critical")
    (certificate,) = server.requests
    assert certificate["subject"] == ((("commonName", "client"),),)


def test_a_certificate_that_is_not_there_is_refused_at_init(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="exists and can be read"):
        obs.init("shop", otlp_certificate=tmp_path / "missing.pem")
