"""Fixtures for tests that run obs for real: a process without settings, its lines, a collector."""

from __future__ import annotations

import gzip
import json
import os
import signal
import socket
import struct
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, NamedTuple

import pytest
from hypothesis import HealthCheck, settings
from tests.runtime.sentry_receiver import Receiver

from obs.catalogue import bundled

# A time limit, of an example or of its making, would be an assertion on the machine's speed.
settings.register_profile("obs", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("obs")

_SETTINGS = ("OBS_", "OTEL_", "SENTRY_", "LOG_LEVEL")


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Let obs send telemetry out, which its own pytest plugin prevents: here that is what is tested.

    As obs has a plugin, pytest would rewrite the asserts of all of it when it is imported: hundreds of
    modules in each process, and what is tested would not be what is shipped.
    """
    from obs.runtime import recording

    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # As in the background of a shell script; what tests start would ignore it, too.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    getattr(config.pluginmanager.rewrite_hook, "_must_rewrite", set()).discard("obs")
    recording.silence("")


#: The property of a report that is printed at the end of the run.
_NOTE = "note"


@pytest.fixture
def note(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Print a line at the end of the run: figures that were measured, parts that were not run."""

    def add(line: str) -> None:
        # Travels with the report, out of the worker of xdist, too.
        record_property(_NOTE, line)

    return add


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what the tests noted, each line once. It stands here because xdist loads no conftest further down."""
    notes = (
        str(line)
        for reports in terminalreporter.stats.values()
        for report in reports
        if getattr(report, "when", "") == "call"
        for name, line in report.user_properties
        if name == _NOTE
    )
    for line in dict.fromkeys(notes):
        terminalreporter.write_line(line)


def _threads_of_obs() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("obs-")]


@pytest.fixture
def stopped(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Run the test with obs not started and no setting in the environment; stop it afterwards.

    Handles live as long as the process, so those that a test declares are forgotten after it. The
    modules that declare some of their own are loaded first, so that theirs stay.
    """
    import obs.integrations.celery
    import obs.integrations.exchange
    import obs.integrations.outgoing
    import obs.integrations.redis
    import obs.integrations.rpc
    import obs.integrations.websocket
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
    # One that was told to end does so in its own time, and would be taken for one of the next test's.
    ends = time.monotonic() + 10
    while _threads_of_obs() and time.monotonic() < ends:
        time.sleep(0.001)


@pytest.fixture
def lines(capfd: pytest.CaptureFixture[str]) -> Callable[[], list[dict[str, Any]]]:
    """Return what reads the log lines written since it was last called."""

    def read() -> list[dict[str, Any]]:
        return [json.loads(line) for line in capfd.readouterr().out.splitlines()]

    return read


class Behaviour(NamedTuple):
    """How the collector treats a request; what it accepts is decoded and kept, the rest is not."""

    status: int = 200
    #: Seconds before the answer.
    delay: float = 0.0
    #: Value of the header Retry-After, in seconds or as a date.
    retry_after: str | int | None = None
    #: "reset": reset the connection instead of answering; "close": close it without an answer;
    #: "cut": close in the middle of the answer's body; "silent": never answer.
    fault: Literal["", "reset", "close", "cut", "silent"] = ""
    #: Body of the answer, such as a partial success.
    body: bytes = b""


class Delivery(NamedTuple):
    """One request that arrived, accepted or not."""

    path: str
    headers: dict[str, str]
    body: bytes
    #: When it arrived, on the monotonic clock.
    at: float


class Collector:
    """A real OTLP/HTTP receiver on loopback for traces, logs and metrics.

    Set `behaviour` for every request, or queue some for the next ones with `next`.
    """

    def __init__(self) -> None:
        #: Every request, refused ones included.
        self.deliveries: list[Delivery] = []
        self.spans: list[Any] = []
        #: Log records and metrics, decoded.
        self.logs: list[Any] = []
        self.metrics: list[Any] = []
        #: Resource attributes and headers, one an accepted request.
        self.resources: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.behaviour = Behaviour()
        self._queue: deque[Behaviour] = deque()
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._server = _Receiver(("127.0.0.1", 0), _Handler)
        self._server.collector = self
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    @property
    def status(self) -> int:
        """The status of every answer; setting it keeps the rest of the behaviour."""
        return self.behaviour.status

    @status.setter
    def status(self, status: int) -> None:
        self.behaviour = self.behaviour._replace(status=status)

    def next(self, *behaviours: Behaviour) -> None:
        """Treat the next requests so, one after the other, before `behaviour` holds again."""
        self._queue.extend(behaviours)

    def names(self) -> list[str]:
        """Return the names of the spans received so far."""
        return [span.name for span in self.spans]

    def log_bodies(self) -> list[str]:
        """Return the texts of the log records received so far."""
        return [record.body.string_value for record in self.logs]

    def metric_names(self) -> list[str]:
        """Return the names of the metrics received so far."""
        return [metric.name for metric in self.metrics]

    def wait(self, arrived: Callable[[], object], timeout: float = 10.0) -> bool:
        """Wait until `arrived` is true of what was received; return whether it became so."""
        with self._changed:
            return self._changed.wait_for(lambda: bool(arrived()), timeout)

    def release(self) -> None:
        """Answer from now on without any delay, also whoever waits because of one."""
        self._closing.set()

    def close(self) -> None:
        """Stop and free the port; whoever still waits for an answer is cut off."""
        self.release()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def arrive(self, delivery: Delivery) -> Behaviour:
        """Note that a request arrived; return how it is to be treated."""
        with self._changed:
            self.deliveries.append(delivery)
            behaviour = self._queue.popleft() if self._queue else self.behaviour
            self._changed.notify_all()
            return behaviour

    def pause(self, seconds: float | None) -> None:
        """Wait `seconds`, None for ever, or until the collector closes."""
        self._closing.wait(seconds)

    def keep(self, delivery: Delivery) -> None:
        """Decode and keep an accepted request."""
        with self._changed:
            self.headers.append(delivery.headers)
            for resource, records in _decode(delivery):
                self.resources.append(attributes_of(resource))
                kept = {"/v1/traces": self.spans, "/v1/logs": self.logs, "/v1/metrics": self.metrics}
                kept[delivery.path].extend(records)
            self._changed.notify_all()


def _decode(delivery: Delivery) -> Iterator[tuple[Any, list[Any]]]:
    """Yield each resource with its spans, log records or metrics."""
    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    body = delivery.body
    if delivery.path == "/v1/traces":
        for spans in ExportTraceServiceRequest.FromString(body).resource_spans:
            yield spans.resource, [item for scope in spans.scope_spans for item in scope.spans]
    elif delivery.path == "/v1/logs":
        for logs in ExportLogsServiceRequest.FromString(body).resource_logs:
            yield logs.resource, [item for scope in logs.scope_logs for item in scope.log_records]
    elif delivery.path == "/v1/metrics":
        for metrics in ExportMetricsServiceRequest.FromString(body).resource_metrics:
            yield metrics.resource, [item for scope in metrics.scope_metrics for item in scope.metrics]


class _Receiver(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    collector: Collector

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that left first: some tests make them."""
        if not isinstance(sys.exc_info()[1], OSError):
            raise  # noqa: PLE0704 - called by socketserver while it handles the error


class _Handler(BaseHTTPRequestHandler):
    server: _Receiver

    def do_POST(self) -> None:
        arrived = time.monotonic()
        length = int(self.headers["content-length"])
        collector = self.server.collector
        headers = dict(self.headers.items())
        body = self.rfile.read(length)
        if self.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        delivery = Delivery(self.path, headers, body, arrived)
        behaviour = collector.arrive(delivery)
        self.close_connection = True
        if behaviour.fault == "silent":
            collector.pause(None)
            return
        if behaviour.delay:
            collector.pause(behaviour.delay)
        if behaviour.fault in {"close", "reset"}:
            if behaviour.fault == "reset":
                # With nothing left to linger for, close sends RST instead of FIN.
                linger = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            return
        if behaviour.status == 200 and not behaviour.fault:
            collector.keep(delivery)
        self._answer(behaviour)

    def _answer(self, behaviour: Behaviour) -> None:
        body = b"0123456789" if behaviour.fault == "cut" else behaviour.body
        self.send_response(behaviour.status)
        self.send_header("content-length", str(len(body)))
        if behaviour.retry_after is not None:
            self.send_header("retry-after", str(behaviour.retry_after))
        self.end_headers()
        self.wfile.write(body[:4] if behaviour.fault == "cut" else body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


def attributes_of(carrier: Any) -> dict[str, Any]:
    """Return the attributes of an OTLP span, event or resource as plain values."""
    return {item.key: getattr(item.value, item.value.WhichOneof("value")) for item in carrier.attributes}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """What receives the error events that Sentry's client sends."""
    from obs.runtime import setup

    found = Receiver()
    yield found
    setup.shutdown(1)
    found.close()


@pytest.fixture
def collector() -> Iterator[Collector]:
    """A collector that receives; set `status` or `behaviour` to make it refuse."""
    receiver = Collector()
    yield receiver
    receiver.close()


@pytest.fixture
def behaviour() -> type[Behaviour]:
    """Return the class of the collector's behaviours: `behaviour(429, retry_after=1)`."""
    return Behaviour


@pytest.fixture
def attributes() -> Callable[[Any], dict[str, Any]]:
    """Return what reads the attributes of an OTLP span."""
    return attributes_of
