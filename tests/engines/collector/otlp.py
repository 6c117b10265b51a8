"""OTLP as a sender writes it: spans, lines and samples with only what a test has to say."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

SECOND = 1_000_000_000


def value(of: Any) -> AnyValue:
    """Return a plain value as OTLP has it."""
    if isinstance(of, bool):
        return AnyValue(bool_value=of)
    if isinstance(of, int):
        return AnyValue(int_value=of)
    if isinstance(of, float):
        return AnyValue(double_value=of)
    if isinstance(of, Mapping):
        return AnyValue(kvlist_value=KeyValueList(values=pairs(of)))
    if isinstance(of, list):
        return AnyValue(array_value=ArrayValue(values=map(value, of)))
    return AnyValue(string_value=of)


def pairs(of: Mapping[str, Any]) -> list[KeyValue]:
    """Return attributes as OTLP has them."""
    return [KeyValue(key=key, value=value(item)) for key, item in of.items()]


def span(
    name: str = "work",
    *,
    trace: bytes | None = None,
    attributes: Mapping[str, Any] | None = None,
    failed: bool = False,
    message: str = "",
    seconds: float = 0.01,
    events: Sequence[tuple[str, Mapping[str, Any]]] = (),
) -> Span:
    """Return a server span that ended just now, the root of its trace."""
    end = time.time_ns()
    return Span(
        trace_id=trace or os.urandom(16),
        span_id=os.urandom(8),
        name=name,
        kind=Span.SPAN_KIND_SERVER,
        start_time_unix_nano=end - int(seconds * SECOND),
        end_time_unix_nano=end,
        attributes=pairs(attributes or {}),
        events=[
            Span.Event(name=title, time_unix_nano=end, attributes=pairs(facts)) for title, facts in events
        ],
        status=Status(code=Status.STATUS_CODE_ERROR if failed else Status.STATUS_CODE_UNSET, message=message),
    )


def resource(service: str, further: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the resource of a service as the SDK tells it, with further attributes."""
    return {"service.name": service, "deployment.environment.name": "test", **(further or {})}


def traces(of: Mapping[str, Any], spans: Sequence[Span], scope: str = "obs") -> bytes:
    """Return a request with these spans."""
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    group.resource.attributes.extend(pairs(of))
    inside = group.scope_spans.add()
    inside.scope.name = scope
    inside.spans.extend(spans)
    return bytes(request.SerializeToString())


def logs(
    of: Mapping[str, Any],
    lines: Sequence[tuple[Any, Mapping[str, Any]]],
    *,
    at: float | None = None,
    scope: str = "obs",
) -> bytes:
    """Return a request with these lines: body and attributes of each."""
    request = ExportLogsServiceRequest()
    group = request.resource_logs.add()
    group.resource.attributes.extend(pairs(of))
    inside = group.scope_logs.add()
    inside.scope.name = scope
    now = time.time_ns() if at is None else int(at * SECOND)
    for number, (body, attributes) in enumerate(lines):
        inside.log_records.add(
            # Loki takes equal lines of one moment for one.
            time_unix_nano=now + number,
            severity_number=9,
            severity_text="INFO",
            body=value(body),
            attributes=pairs(attributes),
        )
    return bytes(request.SerializeToString())


def samples(of: Mapping[str, Any], name: str, attributes: Mapping[str, Any], number: int) -> bytes:
    """Return a request with one gauge."""
    request = ExportMetricsServiceRequest()
    group = request.resource_metrics.add()
    group.resource.attributes.extend(pairs(of))
    metric = group.scope_metrics.add().metrics.add()
    metric.name = name
    point = metric.gauge.data_points.add()
    point.time_unix_nano, point.as_int = time.time_ns(), number
    point.attributes.extend(pairs(attributes))
    return bytes(request.SerializeToString())
