"""Metrics to the collector, once, at the end of a process that is gone before anybody scrapes it.

Points are cumulative and named as a scrape would show them, so that Prometheus gets the same series
whichever way they come. Written as protocol messages directly: nothing else of OpenTelemetry's metrics
is needed for that.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AggregationTemporality,
    Exemplar,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from obs._version import __version__
from obs.runtime.otel import resource
from obs.runtime.otel.answer import Answer
from obs.runtime.otel.outage import is_down
from obs.runtime.otel.sender import Sender
from obs.runtime.points import Mark, Measured, Point
from obs.runtime.settings import Settings

_CUMULATIVE = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
#: Seconds to wait before a collector that is busy is asked once more, when it does not say.
_PAUSE = 0.2


def endpoint(settings: Settings) -> str:
    """Return where metrics go; empty when nothing is set."""
    if settings.metrics_endpoint or not settings.otlp_endpoint:
        return settings.metrics_endpoint
    return f"{settings.otlp_endpoint.rstrip('/')}/v1/metrics"


def push(settings: Settings, metrics: Sequence[Measured], timeout: float) -> Answer:
    """Send `metrics` within `timeout` seconds and return what became of them; never raises for the network.

    The answer has no reason where a line has told it already.
    """
    if is_down(endpoint(settings)):
        # Spans or log records have found out, and said so; waiting for the same again helps nobody.
        return Answer("unreachable")
    ends = time.monotonic() + timeout
    body = encode(settings, metrics, time.time())
    sender = Sender(endpoint(settings), settings)
    try:
        while True:
            answer = sender.send(body, min(settings.otlp_timeout, max(0.0, ends - time.monotonic())))
            pause = answer.wait or _PAUSE
            if answer.verdict != "busy" or time.monotonic() + pause >= ends:
                return answer
            time.sleep(pause)
    finally:
        sender.close()


def encode(settings: Settings, metrics: Sequence[Measured], now: float) -> bytes:
    """Return the body of a request that says how `metrics` are at `now`, in seconds since the epoch."""
    everything = ResourceMetrics(
        resource=Resource(attributes=_pairs(resource.attributes(settings))),
        scope_metrics=[
            ScopeMetrics(
                scope=InstrumentationScope(name="obs", version=__version__),
                metrics=[_metric(metric, _nanoseconds(now)) for metric in metrics],
            )
        ],
    )
    return bytes(ExportMetricsServiceRequest(resource_metrics=[everything]).SerializeToString())


def _metric(metric: Measured, now: int) -> Metric:
    # Without a unit: names have theirs already, and a unit would be added once more.
    fields: dict[str, Any] = {"name": metric.name, "description": metric.help}
    if metric.kind == "histogram":
        points = [_distribution(metric, point, now) for point in metric.points]
        return Metric(histogram=Histogram(data_points=points, aggregation_temporality=_CUMULATIVE), **fields)
    numbers = [_number(point, now) for point in metric.points]
    if metric.kind == "gauge":
        return Metric(gauge=Gauge(data_points=numbers), **fields)
    return Metric(
        sum=Sum(data_points=numbers, aggregation_temporality=_CUMULATIVE, is_monotonic=True), **fields
    )


def _number(point: Point, now: int) -> NumberDataPoint:
    return NumberDataPoint(
        attributes=_pairs(point.labels),
        start_time_unix_nano=_nanoseconds(point.since),
        time_unix_nano=now,
        as_double=point.value,
        exemplars=[_exemplar(mark) for mark in point.marks],
    )


def _distribution(metric: Measured, point: Point, now: int) -> HistogramDataPoint:
    counts = [int(count) for count in point.buckets]
    made = HistogramDataPoint(
        attributes=_pairs(point.labels),
        start_time_unix_nano=_nanoseconds(point.since),
        time_unix_nano=now,
        count=sum(counts),
        bucket_counts=counts,
        explicit_bounds=[bound for bound in metric.bounds if math.isfinite(bound)],
        exemplars=[_exemplar(mark) for mark in point.marks],
    )
    # With negative observations the sum may fall, and says nothing.
    if metric.bounds[0] >= 0:
        made.sum = point.value
    return made


def _exemplar(mark: Mark) -> Exemplar:
    return Exemplar(
        trace_id=bytes.fromhex(mark.trace_id),
        span_id=bytes.fromhex(mark.span_id),
        as_double=mark.value,
        time_unix_nano=_nanoseconds(mark.at),
    )


def _pairs(values: Any) -> list[KeyValue]:
    return [KeyValue(key=key, value=_value(value)) for key, value in values.items()]


def _value(value: Any) -> AnyValue:
    if isinstance(value, int) and not isinstance(value, bool):
        return AnyValue(int_value=value)
    return AnyValue(string_value=str(value))


def _nanoseconds(seconds: float) -> int:
    return int(seconds * 1e9)
