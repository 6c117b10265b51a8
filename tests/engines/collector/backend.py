"""What stands behind the collector in these tests: takes OTLP, keeps it, and refuses it when told to."""

from __future__ import annotations

import gzip
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import grpc
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.metrics.v1.metrics_pb2 import NumberDataPoint
from opentelemetry.proto.trace.v1.trace_pb2 import Span


@dataclass
class Received:
    """All that arrived, in the order of arrival."""

    traces: list[ExportTraceServiceRequest] = field(default_factory=list)
    logs: list[ExportLogsServiceRequest] = field(default_factory=list)
    metrics: list[ExportMetricsServiceRequest] = field(default_factory=list)
    #: Credentials that requests over HTTP carried.
    authorizations: set[str] = field(default_factory=set)

    def spans(self) -> Iterator[Span]:
        """Yield every span."""
        for request in list(self.traces):
            for resource in request.resource_spans:
                for scope in resource.scope_spans:
                    yield from scope.spans

    def trace_ids(self) -> set[bytes]:
        """Return the id of every trace of which something arrived."""
        return {span.trace_id for span in self.spans()}

    def records(self) -> Iterator[LogRecord]:
        """Yield every log record."""
        for request in list(self.logs):
            for resource in request.resource_logs:
                for scope in resource.scope_logs:
                    yield from scope.log_records

    def points(self) -> Iterator[NumberDataPoint]:
        """Yield every point of a gauge."""
        for request in list(self.metrics):
            for resource in request.resource_metrics:
                for scope in resource.scope_metrics:
                    for metric in scope.metrics:
                        yield from metric.gauge.data_points

    def text(self) -> str:
        """Return all of it as text, to search in."""
        return "".join(map(str, [*self.traces, *self.logs, *self.metrics]))


class Backend:
    """A trace store (gRPC) and a log and metric store (HTTP) on free ports of loopback."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.received = Received()
        #: Status of the answer to whatever comes over HTTP; 0 gives none until `release`.
        self.status = 200
        #: What spans are refused with: for good, or with UNAVAILABLE for now.
        self.refuses_spans: grpc.StatusCode | None = None
        self._free = threading.Event()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._http.daemon_threads = True
        if tls is not None:
            self._http.socket = tls.wrap_socket(self._http.socket, server_side=True)
        self._grpc = grpc.server(ThreadPoolExecutor(4))
        self.http_port = int(self._http.server_address[1])
        self.grpc_port = self._grpc.add_insecure_port("127.0.0.1:0")

    def __enter__(self) -> Backend:  # noqa: PYI034 - Self needs Python 3.11
        threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True).start()
        methods = {
            "Export": grpc.unary_unary_rpc_method_handler(
                self._take_traces,
                request_deserializer=ExportTraceServiceRequest.FromString,
                response_serializer=ExportTraceServiceResponse.SerializeToString,
            )
        }
        service = "opentelemetry.proto.collector.trace.v1.TraceService"
        self._grpc.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, methods),))
        self._grpc.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
        self._grpc.stop(None).wait()
        self._http.shutdown()
        self._http.server_close()

    def release(self) -> None:
        """Take everything from now on, from those who wait, too."""
        self.status, self.refuses_spans = 200, None
        self._free.set()

    def take(self, path: str, body: bytes, authorization: str) -> int:
        """Keep what came over HTTP, and return the status to answer."""
        if self.status == 0:
            self._free.wait()
        if self.status == 200:
            self.received.authorizations.add(authorization)
            if path.endswith("/v1/logs"):
                self.received.logs.append(ExportLogsServiceRequest.FromString(body))
            else:
                self.received.metrics.append(ExportMetricsServiceRequest.FromString(body))
        return self.status

    def _take_traces(self, request: ExportTraceServiceRequest, call: Any) -> ExportTraceServiceResponse:
        if self.refuses_spans is not None:
            call.abort(self.refuses_spans, "refused")
        self.received.traces.append(request)
        return ExportTraceServiceResponse()


def _handler(backend: Backend) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            self.send_response(backend.take(self.path, body, self.headers.get("Authorization", "")))
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            pass

    return Handler
