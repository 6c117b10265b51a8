"""Load as the SDK would send it: records of one real request, with ids and a number that differ in each."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.emission import NUMBER

#: Records of a body: the SDK sends up to 512; this many are whole traces, and one in `FAILED` of them fails.
BATCH, SPANS, FAILED = 480, 4, 20
_MARK = re.compile(rb"(trace-\d{10}|sp\d{6}|N#\d{8})")
#: What every record holds, so that a sink can tell which ones it has.
_PATH = "/customers-0/{}"
NUMBERED = re.compile(rb"/customers-0/(\d{10})")


def _number(slot: int) -> str:
    return f"N#{slot:08}"


def _id(slot: int) -> bytes:
    return b"sp%06d" % slot


def _filler(mark: bytes, run: bytes) -> Callable[[int], bytes]:
    """Return what writes in the place of a mark, given the number of the body's first record."""
    slot = int(mark[-6:])
    if mark.startswith(b"trace"):
        return lambda base: run + (base + slot).to_bytes(8, "big")
    if mark.startswith(b"sp"):
        return lambda base: (base + slot).to_bytes(8, "little")
    return lambda base: b"%010d" % (base + slot)


@dataclass(frozen=True)
class Payload:
    """A body of `BATCH` records, taken apart where numbers and ids stand."""

    pieces: Sequence[tuple[bytes, Callable[[int], bytes]]]
    end: bytes

    @staticmethod
    def of(body: bytes) -> Payload:
        """Take apart a body whose marks say what stands there, and of which record."""
        # Ids of another run must not be those of traces that were decided on.
        run = os.urandom(8)
        chunks = _MARK.split(body)
        pieces = [(chunk, _filler(mark, run)) for chunk, mark in zip(chunks[::2], chunks[1::2], strict=False)]
        return Payload(pieces, chunks[-1])

    def body(self, base: int) -> bytes:
        """Return the body whose records are numbered from `base` on; about a millisecond."""
        return b"".join(part for chunk, fill in self.pieces for part in (chunk, fill(base))) + self.end


def spans(sample: Mapping[str, Sequence[bytes]]) -> Payload:
    """Return traces of a server's span and those of what it asks; one trace in `FAILED` has failed."""
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    request = ExportTraceServiceRequest.FromString(sample["traces"][0])
    scope = request.resource_spans[0].scope_spans[0]
    child, server = scope.spans
    # The SDK marks one a second for each series: a trace that is kept whatever else holds.
    kept = [item for item in server.attributes if item.key != "obs.exemplar"]
    del server.attributes[:], scope.spans[:]
    server.attributes.extend(kept)
    child.attributes.add(key="customer.path").value.string_value = ""
    for slot in range(BATCH):
        root = slot - slot % SPANS
        span = scope.spans.add()
        span.CopyFrom(server if slot == root else child)
        span.trace_id, span.span_id = b"trace-%010d" % root, _id(slot)
        span.parent_span_id = b"" if slot == root else _id(root)
        for item in span.attributes:
            if item.key in {"url.path", "customer.path"}:
                item.value.string_value = _PATH.format(_number(slot))
        if slot == root and has_failed(slot):
            span.status.code = 2
    return Payload.of(request.SerializeToString())


def has_failed(number: int) -> bool:
    """Tell whether the span of this number is of a trace that failed, so that sampling keeps it."""
    return number // SPANS % FAILED == 0


def records(sample: Mapping[str, Sequence[bytes]]) -> Payload:
    """Return lines of requests as OTLP."""
    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

    request = ExportLogsServiceRequest.FromString(sample["logs"][0])
    scope = request.resource_logs[0].scope_logs[-1]
    (line,) = scope.log_records
    del scope.log_records[:], request.resource_logs[0].scope_logs[:-1]
    for slot in range(BATCH):
        record = scope.log_records.add()
        record.CopyFrom(line)
        record.trace_id, record.span_id = b"trace-%010d" % slot, _id(slot)
        for item in record.attributes:
            if item.key == "path":
                item.value.string_value = _PATH.format(_number(slot))
            elif item.key == "request_id":
                item.value.string_value = item.value.string_value[:22] + _number(slot)
    return Payload.of(request.SerializeToString())


def lines(sample: Mapping[str, Sequence[bytes]]) -> Payload:
    """Return lines of requests as they stand in a file."""
    line = next(line for line in sample["lines"][0].decode().splitlines() if "obs.access" in line)
    unlike = re.sub(r'("(?:trace|request)_id":"\w{22})\w{10}', rf"\g<1>{NUMBER}", line)
    return Payload.of("".join(f"{unlike.replace(NUMBER, _number(slot))}\n" for slot in range(BATCH)).encode())


def points(sample: Mapping[str, Sequence[bytes]]) -> Payload:
    """Return samples of gauges of a service, ten series a metric."""
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    whose = ExportTraceServiceRequest.FromString(sample["traces"][0]).resource_spans[0].resource
    request = ExportMetricsServiceRequest()
    group = request.resource_metrics.add()
    group.resource.CopyFrom(whose)
    scope: Any = group.scope_metrics.add()
    for slot in range(BATCH):
        if slot % 10 == 0:
            metric = scope.metrics.add(name=f"bench.rows.{slot // 10}", unit="1")
        point = metric.gauge.data_points.add(time_unix_nano=time.time_ns())
        point.as_int = int.from_bytes(_id(slot), "little")
        for key, text in (("table", f"customers-{slot % 10}"), ("outcome", "ok")):
            point.attributes.add(key=key).value.string_value = text
    return Payload.of(request.SerializeToString())
