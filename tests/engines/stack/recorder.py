"""A trace store for tests: takes OTLP by gRPC and answers lookups as Tempo does.

It stands behind the same collector, on the same ports, in Tempo's place: see `stand_in`. What it took it
still has after `stop`, and with a journal after a kill, as a store with a disk would.
"""

from __future__ import annotations

import math
import threading
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, TracesData

from obs.stack.ports import LOOPBACK, free

_SERVICE = "opentelemetry.proto.collector.trace.v1.TraceService"
#: Bytes; a queue that is emptied after an outage sends large batches.
_LARGEST = 64 << 20


class Recorder:
    """The store; its ports stay the same over `stop` and `start`.

    With a `journal`, a file, spans are in it before their sender hears that they were taken.
    """

    def __init__(
        self, *, otlp_grpc: int | None = None, http: int | None = None, journal: Path | None = None
    ) -> None:
        self.otlp_grpc = otlp_grpc or free()
        #: The lookups.
        self.http = http or free()
        self._journal = journal
        self._kept: list[ResourceSpans] = _read(journal) if journal is not None and journal.exists() else []
        self._lock = threading.Lock()
        self._grpc: grpc.Server | None = None
        self._web: _Web | None = None

    @property
    def url(self) -> str:
        """Address of the lookups."""
        return f"http://{LOOPBACK}:{self.http}"

    def start(self) -> None:
        """Listen; a connection that is still winding down does not prevent it."""
        # Otherwise a second listener would be let in beside a forgotten first.
        options = [("grpc.so_reuseport", 0), ("grpc.max_receive_message_length", _LARGEST)]
        self._grpc = grpc.server(ThreadPoolExecutor(8, "recorder"), options=options)
        export = grpc.unary_unary_rpc_method_handler(
            self._export,
            request_deserializer=ExportTraceServiceRequest.FromString,
            response_serializer=ExportTraceServiceResponse.SerializeToString,
        )
        self._grpc.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler(_SERVICE, {"Export": export}),)
        )
        self._grpc.add_insecure_port(f"{LOOPBACK}:{self.otlp_grpc}")
        self._grpc.start()
        self._web = _Web((LOOPBACK, self.http), _Handler)
        self._web.recorder = self
        threading.Thread(target=self._web.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """Cut every connection and free the ports; twice is harmless."""
        if self._grpc is not None:
            self._grpc.stop(grace=None).wait()
            self._grpc = None
        if self._web is not None:
            self._web.shutdown()
            self._web.server_close()
            self._web = None

    def trace(self, trace_id: str, start: float = 0, end: float = math.inf) -> TracesData:
        """Return the spans of one trace that lie between two moments, empty where none arrived.

        Moments in seconds since the epoch. Tempo may tell of more, for it leaves out whole blocks only.
        """
        wanted, found = bytes.fromhex(trace_id), TracesData()
        with self._lock:
            for resource in self._kept:
                for scope in resource.scope_spans:
                    spans = [
                        span
                        for span in scope.spans
                        if span.trace_id == wanted
                        and span.start_time_unix_nano <= end * 1e9
                        and span.end_time_unix_nano >= start * 1e9
                    ]
                    if spans:
                        part = found.resource_spans.add()
                        part.resource.CopyFrom(resource.resource)
                        part.scope_spans.add(scope=scope.scope, spans=spans)
        return found

    @property
    def spans(self) -> int:
        """How many spans were kept."""
        with self._lock:
            return sum(len(scope.spans) for one in self._kept for scope in one.scope_spans)

    def _export(
        self, request: ExportTraceServiceRequest, _: grpc.ServicerContext
    ) -> ExportTraceServiceResponse:
        arrived = list(request.resource_spans)
        with self._lock:
            if self._journal is not None:
                with self._journal.open("a", encoding="ascii") as file:
                    file.writelines(f"{one.SerializeToString().hex()}\n" for one in arrived)
            self._kept.extend(arrived)
        return ExportTraceServiceResponse()


def _read(journal: Path) -> list[ResourceSpans]:
    # A line without its end is what a kill cut off; its sender was never told that it was taken.
    lines = journal.read_text(encoding="ascii").splitlines(keepends=True)
    return [ResourceSpans.FromString(bytes.fromhex(line)) for line in lines if line.endswith("\n")]


class _Web(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    recorder: Recorder


class _Handler(BaseHTTPRequestHandler):
    server: _Web

    def do_GET(self) -> None:
        """Answer like Tempo: `/ready`, `/metrics` and `/api/v2/traces/ID`."""
        path, _, query = self.path.partition("?")
        if path == "/metrics":
            text = f"# TYPE recorder_spans_total counter\nrecorder_spans_total {self.server.recorder.spans}\n"
            self._answer(200, text.encode(), "text/plain; version=0.0.4; charset=utf-8")
            return
        if path == "/ready":
            self._answer(200, b"ready\n", "text/plain")
            return
        way, _, trace_id = path.rpartition("/")
        if way != "/api/v2/traces":
            self._answer(404, b"not found\n", "text/plain")
            return
        window = {name: float(value) for name, value in urllib.parse.parse_qsl(query)}
        found = self.server.recorder.trace(trace_id, **window)
        if not found.resource_spans:
            self._answer(404, b"trace not found\n", "text/plain")
            return
        body = f'{{"trace": {json_format.MessageToJson(found)}}}'
        self._answer(200, body.encode(), "application/json")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass

    def _answer(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
