"""The TLS overlay: a sender without a certificate of the stack is refused, and so is a back end without one."""

from __future__ import annotations

import http.client
import ssl
from datetime import timedelta
from pathlib import Path

import pytest
from tests.engines.collector import otlp
from tests.engines.collector.backend import Backend, await_true
from tests.engines.collector.running import Collector, running, site

from obs.stack.certs import authority
from obs.stack.certs.folder import Folder
from obs.stack.certs.renewal import Wanted, renew
from obs.stack.certs.subjects import subjects

pytestmark = pytest.mark.engines


@pytest.fixture
def certs(tmp_path: Path) -> Folder:
    """Certificates as `obs stack certs` makes them, where the overlay looks for them."""
    folder = Folder.of(tmp_path)
    wanted = Wanted(lifetime=timedelta(days=1), before=timedelta(hours=1))
    renew(folder, subjects(), wanted, authority.now())
    return folder


def _server(certs: Folder, name: str) -> ssl.SSLContext:
    context = ssl.create_default_context(
        ssl.Purpose.CLIENT_AUTH, cafile=str(certs.authority_certificate_path)
    )
    context.load_cert_chain(certs.certificate_path(name), certs.key_path(name))
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def _client(certs: Folder, name: str = "") -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(certs.authority_certificate_path))
    if name:
        context.load_cert_chain(certs.certificate_path(name), certs.key_path(name))
    return context


def _send(collector: Collector, body: bytes, context: ssl.SSLContext | None) -> int:
    port = collector.port("otlp_http")
    connection: http.client.HTTPConnection = (
        http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        if context is None
        else http.client.HTTPSConnection("127.0.0.1", port, timeout=30, context=context)
    )
    try:
        connection.request("POST", "/v1/logs", body, {"Content-Type": "application/x-protobuf"})
        return connection.getresponse().status
    finally:
        connection.close()


def test_every_hop_wants_a_certificate_of_the_stack(tmp_path: Path, certs: Folder) -> None:
    body = otlp.logs(otlp.resource("secured"), [("line 1", {})])
    with Backend(_server(certs, "loki")) as loki:
        place = site(tmp_path, loki_http=loki.http_port)
        with running(Collector(place, further=["tls.yml"])) as collector:
            assert _send(collector, body, None) == 400
            with pytest.raises(OSError, match=r"certificate required|alert|reset|EOF"):
                _send(collector, body, _client(certs))
            assert _send(collector, body, _client(certs, "client")) == 200
            await_true(lambda: len(list(loki.received.records())) == 1, "the line arrived over TLS")
