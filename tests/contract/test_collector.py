"""The tests' own collector does what it is told: other tests judge outages by it."""

from __future__ import annotations

import http.client
from typing import Any

import pytest


def post(collector: Any, path: str = "/v1/traces", body: bytes = b"", timeout: float = 5.0) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", collector.port, timeout=timeout)
    try:
        connection.request("POST", path, body)
        answer = connection.getresponse()
        return answer.status, answer.getheader("retry-after"), answer.read()
    finally:
        connection.close()


def test_it_decodes_spans_logs_and_metrics(collector: Any) -> None:
    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    traces, logs, metrics = (
        ExportTraceServiceRequest(),
        ExportLogsServiceRequest(),
        ExportMetricsServiceRequest(),
    )
    traces.resource_spans.add().scope_spans.add().spans.add(name="GET /")
    logs.resource_logs.add().scope_logs.add().log_records.add().body.string_value = "paid"
    metrics.resource_metrics.add().scope_metrics.add().metrics.add(name="jobs")
    for path, message in (("/v1/traces", traces), ("/v1/logs", logs), ("/v1/metrics", metrics)):
        assert post(collector, path, message.SerializeToString())[0] == 200
    assert (collector.names(), collector.log_bodies(), collector.metric_names()) == (
        ["GET /"],
        ["paid"],
        ["jobs"],
    )


def test_it_refuses_as_told_and_then_accepts_again(collector: Any, behaviour: Any) -> None:
    collector.next(behaviour(429, retry_after=7), behaviour(503, delay=0.01))
    assert [post(collector)[:2] for _ in range(3)] == [(429, "7"), (503, None), (200, None)]
    assert (len(collector.deliveries), len(collector.headers)) == (3, 1)
    collector.status = 400
    assert post(collector)[0] == 400


@pytest.mark.parametrize(
    ("fault", "seen"),
    [
        ("reset", (ConnectionError, http.client.RemoteDisconnected)),
        ("close", http.client.RemoteDisconnected),
        ("cut", http.client.IncompleteRead),
        ("silent", TimeoutError),
    ],
)
def test_it_fails_in_every_way_that_it_offers(collector: Any, behaviour: Any, fault: str, seen: Any) -> None:
    collector.behaviour = behaviour(fault=fault)
    with pytest.raises(seen):
        post(collector, timeout=0.2 if fault == "silent" else 5.0)
    assert collector.wait(lambda: collector.deliveries)
    assert not collector.headers
