"""Fixtures for tests that run obs for real: a process without settings, its lines, a collector."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from obs.catalogue import bundled

_SETTINGS = ("OBS_", "OTEL_", "SENTRY_", "LOG_LEVEL")


@pytest.fixture
def stopped(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Run the test with obs not started and no setting in the environment; stop it afterwards.

    Handles live as long as the process, so those that a test declares are forgotten after it. The
    modules that declare some of their own are loaded first, so that theirs stay.
    """
    import obs.integrations.exchange
    import obs.integrations.httpx
    import obs.runtime.jobs  # noqa: F401
    from obs.runtime import instruments, setup, tally

    handles, registry = dict(instruments._handles), bundled()
    for handle in handles.values():
        registry.add(handle.signal)
    monkeypatch.setattr(instruments, "_handles", handles)
    monkeypatch.setattr(instruments, "_registry", registry)
    for name in list(os.environ):
        if name.startswith(_SETTINGS):
            monkeypatch.delenv(name)
    setup.shutdown(0)
    tally.reset()
    yield
    setup.shutdown(0)
    tally.reset()


@pytest.fixture
def lines(capfd: pytest.CaptureFixture[str]) -> Callable[[], list[dict[str, Any]]]:
    """Return what reads the log lines written since it was last called."""

    def read() -> list[dict[str, Any]]:
        return [json.loads(line) for line in capfd.readouterr().out.splitlines()]

    return read


class Collector:
    """A real OTLP/HTTP receiver on loopback."""

    def __init__(self) -> None:
        self.spans: list[Any] = []
        self.resources: list[dict[str, str]] = []
        self.headers: list[dict[str, str]] = []
        self.status = 200
        self._server = _Receiver(("127.0.0.1", 0), _Handler)
        self._server.collector = self
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def names(self) -> list[str]:
        """Return the names of the spans received so far."""
        return [span.name for span in self.spans]

    def close(self) -> None:
        """Stop and free the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Receiver(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    collector: Collector


class _Handler(BaseHTTPRequestHandler):
    server: _Receiver

    def do_POST(self) -> None:
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

        body = self.rfile.read(int(self.headers["content-length"]))
        collector = self.server.collector
        if collector.status == 200:
            request = ExportTraceServiceRequest.FromString(body)
            collector.headers.append(dict(self.headers.items()))
            for resource in request.resource_spans:
                collector.resources.append(attributes_of(resource.resource))
                for scope in resource.scope_spans:
                    collector.spans.extend(scope.spans)
        self.send_response(collector.status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


def attributes_of(carrier: Any) -> dict[str, Any]:
    """Return the attributes of an OTLP span, event or resource as plain values."""
    return {item.key: getattr(item.value, item.value.WhichOneof("value")) for item in carrier.attributes}


@pytest.fixture
def collector() -> Iterator[Collector]:
    """A collector that receives; set `status` to make it refuse."""
    receiver = Collector()
    yield receiver
    receiver.close()


@pytest.fixture
def attributes() -> Callable[[Any], dict[str, Any]]:
    """Return what reads the attributes of an OTLP span."""
    return attributes_of
