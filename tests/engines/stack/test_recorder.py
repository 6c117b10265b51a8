"""The recorder takes what an OTLP sender sends, tells it by its trace and comes back on the same ports."""

from __future__ import annotations

from collections.abc import Iterator

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import TraceServiceStub
from tests.engines.stack.recorder import Recorder
from tests.engines.stack.traces import trace

pytestmark = pytest.mark.engines

_TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    recorder = Recorder()
    recorder.start()
    yield recorder
    recorder.stop()


def _request(name: str) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    resource.resource.attributes.add(key="service.name").value.string_value = "shop"
    resource.scope_spans.add().spans.add(trace_id=bytes.fromhex(_TRACE), span_id=b"12345678", name=name)
    return request


def _send(recorder: Recorder, name: str, *, waits: bool = True) -> None:
    with grpc.insecure_channel(f"127.0.0.1:{recorder.otlp_grpc}") as channel:
        TraceServiceStub(channel).Export(  # type: ignore[no-untyped-call]
            _request(name), timeout=60, wait_for_ready=waits
        )


def test_spans_are_found_by_their_trace(recorder: Recorder) -> None:
    assert trace(recorder.url, _TRACE) == []
    _send(recorder, "first")
    _send(recorder, "second")
    found = trace(recorder.url, _TRACE)
    assert [span.name for span in found] == ["first", "second"]
    assert {(span.trace_id, span.service) for span in found} == {(_TRACE, "shop")}


def test_a_trace_is_found_around_its_time_alone(recorder: Recorder) -> None:
    _send(recorder, "work")
    # Its span is as old as the epoch.
    assert trace(recorder.url, _TRACE, start=0, end=60)
    assert trace(recorder.url, _TRACE, start=60, end=120) == []


def test_it_comes_back_on_the_same_ports_with_what_it_had(recorder: Recorder) -> None:
    _send(recorder, "before")
    recorder.stop()
    with pytest.raises(grpc.RpcError) as refused:
        _send(recorder, "during", waits=False)
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
    recorder.start()
    _send(recorder, "after")
    assert [span.name for span in trace(recorder.url, _TRACE)] == ["before", "after"]
