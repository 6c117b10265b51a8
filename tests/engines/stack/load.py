"""Numbered telemetry that never gives up: what was taken is known by its numbers, what is missing is lost."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality
from opentelemetry.proto.trace.v1.trace_pb2 import Status

ENVIRONMENT = "outage"
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Sender:
    """Calls `send` with 0, 1, 2 … from a thread of its own, at most `rate` times a second.

    A number counts as sent once `send` returns; one that is refused, or not answered in full, is sent again.
    """

    def __init__(self, send: Callable[[int], None], rate: float) -> None:
        self._send = send
        self._pause = 1 / rate
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        #: When each number was taken, on the monotonic clock.
        self.taken: list[float] = []

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def stop(self) -> int:
        """Send no more and return how many were taken; the last one is seen through, if anybody takes it."""
        self._ended.set()
        # A test that fails may leave nobody who does.
        self._thread.join(60)
        return len(self.taken)

    def _run(self) -> None:
        while not self._ended.is_set():
            self._see_through(len(self.taken))
            self.taken.append(time.monotonic())
            time.sleep(self._pause)

    def _see_through(self, number: int) -> None:
        while not self._is_taken(number):
            time.sleep(0.2)

    def _is_taken(self, number: int) -> bool:
        try:
            self._send(number)
        except (OSError, http.client.HTTPException):
            return False
        return True


def lines(file: Path, service: str, *, size: int = 200) -> Callable[[int], None]:
    """Return what appends numbered lines of about `size` bytes to `file`."""
    filler = "x" * size

    def send(number: int) -> None:
        line = {
            "timestamp": _now(), "level": "info", "event": "outage", "message": f"line {number}", "seq": number,
            "filler": filler, "service": service, "environment": ENVIRONMENT,
        }  # fmt: skip
        with file.open("a", encoding="utf-8") as opened:
            opened.write(json.dumps(line) + "\n")

    return send


def trace_id(service: str, number: int) -> str:
    """Return the id of the trace that holds a numbered span of a service: 50 of them share one."""
    return f"{hashlib.sha256(service.encode()).hexdigest()[:26]}{number // 50:06x}"


def spans(collector: str, service: str) -> Callable[[int], None]:
    """Return what sends numbered spans, each of a failure, so that sampling keeps all of them."""

    def send(number: int) -> None:
        request = ExportTraceServiceRequest()
        resource = request.resource_spans.add()
        resource.resource.attributes.add(key="service.name").value.string_value = service
        span = resource.scope_spans.add().spans.add(
            trace_id=bytes.fromhex(trace_id(service, number)), span_id=os.urandom(8), name="numbered",
            start_time_unix_nano=time.time_ns() - 1000, end_time_unix_nano=time.time_ns(),
            status=Status(code=Status.STATUS_CODE_ERROR),
        )  # fmt: skip
        span.attributes.add(key="seq").value.int_value = number
        post(f"{collector}/v1/traces", request.SerializeToString())

    return send


def samples(collector: str, service: str) -> Callable[[int], None]:
    """Return what pushes a counter whose value is the number, each sample at its own time."""
    began = time.time_ns()

    def send(number: int) -> None:
        request = ExportMetricsServiceRequest()
        resource = request.resource_metrics.add()
        for key, value in {
            "service.name": service, "service.instance.id": "1", "deployment.environment.name": ENVIRONMENT,
        }.items():  # fmt: skip
            resource.resource.attributes.add(key=key).value.string_value = value
        metric = resource.scope_metrics.add().metrics.add(name="numbered")
        metric.sum.is_monotonic = True
        metric.sum.aggregation_temporality = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
        metric.sum.data_points.add(
            start_time_unix_nano=began, time_unix_nano=time.time_ns(), as_int=number + 1
        )
        post(f"{collector}/v1/metrics", request.SerializeToString())

    return send


def post(url: str, body: bytes) -> None:
    """Send OTLP; an answer other than 200 is an `OSError`, as is none within half a minute."""
    request = urllib.request.Request(url, body, {"content-type": "application/x-protobuf"})  # noqa: S310
    try:
        with _direct.open(request, timeout=30) as answer:
            answer.read()
    except urllib.error.HTTPError as refusal:
        refusal.close()
        raise OSError(refusal.code) from None


def _now() -> str:
    now = time.time_ns()
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now // 10**9)) + f".{now % 10**9:09}Z"
