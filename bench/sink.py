"""What stands behind the collector under load: it keeps what it gets, and looks into it afterwards."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from bench.payload import NUMBERED


class Sink(ThreadingHTTPServer):
    """Keeps the bodies of requests."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.bodies: list[bytes] = []

    def numbers(self) -> list[int]:
        """Return the number of every span and line that arrived, and forget them."""
        return [int(number) for body in self._taken() for number in NUMBERED.findall(body)]

    def values(self) -> list[int]:
        """Return the value of every sample that arrived, and forget them."""
        from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

        return [
            point.as_int
            for body in self._taken()
            for group in ExportMetricsServiceRequest.FromString(body).resource_metrics
            for scope in group.scope_metrics
            for metric in scope.metrics
            for point in metric.gauge.data_points
        ]

    def _taken(self) -> Iterator[bytes]:
        while self.bodies:
            body = self.bodies.pop()
            yield gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        assert isinstance(self.server, Sink)
        self.server.bodies.append(body)
        self.send_response(200)
        self.send_header("content-type", "application/x-protobuf")
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""
