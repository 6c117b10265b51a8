"""What senders say, in OTLP: lines and counters as JSON, spans as its own messages."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status


def logs(resource: Mapping[str, str], records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return log records of one resource."""
    group = {"resource": {"attributes": attributes(resource)}, "scopeLogs": [{"logRecords": records}]}
    return {"resourceLogs": [group]}


def request(
    service: str, *, trace: bytes, error: bool, fields: Mapping[str, str]
) -> ExportTraceServiceRequest:
    """Return a trace of one request that has just ended."""
    now = time.time_ns()
    span = Span(
        trace_id=trace,
        span_id=trace[:8],
        name="GET /orders",
        kind=Span.SPAN_KIND_SERVER,
        start_time_unix_nano=now - 50_000_000,
        end_time_unix_nano=now,
        attributes=_pairs(fields),
        status=Status(code=Status.STATUS_CODE_ERROR if error else Status.STATUS_CODE_OK),
    )
    resource = Resource(attributes=_pairs({"service.name": service, "deployment.environment.name": "local"}))
    group = ResourceSpans(resource=resource, scope_spans=[ScopeSpans(spans=[span])])
    return ExportTraceServiceRequest(resource_spans=[group])


def counter(
    resource: Mapping[str, str], metric: str, *, at: float, born: float, point: Mapping[str, str]
) -> dict[str, Any]:
    """Return the value 1 of a counter as a job sends it that ends; times are seconds since the epoch."""
    sample = {
        "asInt": "1",
        "timeUnixNano": str(int(at * 1e9)),
        "startTimeUnixNano": str(int(born * 1e9)),
        "attributes": attributes(point),
    }
    total = {"aggregationTemporality": 2, "isMonotonic": True, "dataPoints": [sample]}
    group = {
        "resource": {"attributes": attributes(resource)},
        "scopeMetrics": [{"metrics": [{"name": metric, "unit": "{run}", "sum": total}]}],
    }
    return {"resourceMetrics": [group]}


def attributes(values: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return attributes in the form of JSON."""
    return [{"key": key, "value": {"stringValue": value}} for key, value in values.items()]


def _pairs(values: Mapping[str, str]) -> list[KeyValue]:
    return [KeyValue(key=key, value=AnyValue(string_value=value)) for key, value in values.items()]
