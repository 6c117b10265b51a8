"""The recorder takes what an OTLP sender sends, refuses on demand and comes back on the same ports."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import TraceServiceStub
from tests.engines.stack.recorder import Behaviour, Recorder
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


def _by_grpc(recorder: Recorder, name: str) -> None:
    with grpc.insecure_channel(f"127.0.0.1:{recorder.otlp_grpc}") as channel:
        TraceServiceStub(channel).Export(_request(name), timeout=10)  # type: ignore[no-untyped-call]


def _by_http(recorder: Recorder, name: str) -> None:
    asked = urllib.request.Request(f"{recorder.url}/v1/traces", _request(name).SerializeToString())  # noqa: S310
    urllib.request.build_opener(urllib.request.ProxyHandler({})).open(asked, timeout=10).close()


def test_spans_of_either_protocol_are_found_by_their_trace(recorder: Recorder) -> None:
    assert trace(recorder.url, _TRACE) == []
    _by_grpc(recorder, "first")
    _by_http(recorder, "second")
    found = trace(recorder.url, _TRACE)
    assert [span.name for span in found] == ["first", "second"]
    assert {(span.trace_id, span.service) for span in found} == {(_TRACE, "shop")}


def test_a_trace_is_found_around_its_time_alone(recorder: Recorder) -> None:
    _by_grpc(recorder, "work")
    # Its span is as old as the epoch.
    assert trace(recorder.url, _TRACE, start=0, end=60)
    assert trace(recorder.url, _TRACE, start=60, end=120) == []


def test_it_comes_back_on_the_same_ports_with_what_it_had(recorder: Recorder) -> None:
    _by_grpc(recorder, "before")
    recorder.stop()
    with pytest.raises(grpc.RpcError) as refused:
        _by_grpc(recorder, "during")
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
    recorder.start()
    _by_grpc(recorder, "after")
    assert [span.name for span in trace(recorder.url, _TRACE)] == ["before", "after"]


def test_what_it_refuses_it_does_not_keep(recorder: Recorder) -> None:
    recorder.behaviour = Behaviour(refuse=grpc.StatusCode.UNAVAILABLE)
    with pytest.raises(grpc.RpcError):
        _by_grpc(recorder, "refused")
    with pytest.raises(urllib.error.HTTPError) as refused:
        _by_http(recorder, "refused")
    refused.value.close()
    assert refused.value.code == 503
    assert recorder.refused == 2
    recorder.behaviour = Behaviour(delay=0.05)
    _by_grpc(recorder, "slow")
    assert [span.name for span in trace(recorder.url, _TRACE)] == ["slow"]
