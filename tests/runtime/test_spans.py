"""What libraries do with OpenTelemetry's API is recorded by our spans: cleaned, bounded, complete."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry.trace import Link, SpanKind, Status, StatusCode

import obs

Attributes = Callable[[Any], dict[str, Any]]


@pytest.fixture
def tracer(collector: Any) -> trace.Tracer:
    obs.init("shop", otlp_endpoint=collector.url, log_level="critical")
    return trace.get_tracer("lib", "1.2", schema_url="https://schema.example/1")


def sent(collector: Any) -> dict[str, Any]:
    assert obs.flush(10)
    return {span.name: span for span in collector.spans}


def test_every_part_of_a_librarys_span_arrives(
    tracer: trace.Tracer, collector: Any, attributes: Attributes
) -> None:
    with obs.span("ours"):
        other = trace.get_current_span().get_span_context()
        span = tracer.start_span(
            "call", kind=SpanKind.CLIENT, attributes={"a": 1, "password": "hunter2"}, start_time=1_000,
            links=[Link(other, {"why": "batch"})],
        )  # fmt: skip
        span.set_attribute("b", ["x", "y"])
        span.set_attributes({"c": 1.5, "d": True, "big": 1 << 70})
        span.add_event("half", {"done": 0.5}, timestamp=2_000)
        span.update_name("call again")
        span.set_status(Status(StatusCode.ERROR, "went wrong"))
        span.end(end_time=3_000)
        span.end(end_time=9_000)
        span.set_attribute("late", 1)
    found = sent(collector)
    call = found["call again"]
    assert attributes(call) | {"b": None} == {
        "a": 1, "b": None, "c": 1.5, "d": True, "big": str(1 << 70), "password": "[redacted]",
    }  # fmt: skip
    assert [item.string_value for item in call.attributes[2].value.array_value.values] == ["x", "y"]
    assert (call.kind, call.start_time_unix_nano, call.end_time_unix_nano) == (3, 1_000, 3_000)
    assert call.parent_span_id == found["ours"].span_id
    assert (call.links[0].span_id, attributes(call.links[0])) == (found["ours"].span_id, {"why": "batch"})
    assert (call.events[0].name, call.events[0].time_unix_nano, attributes(call.events[0])) == (
        "half", 2_000, {"done": 0.5},
    )  # fmt: skip
    assert (call.status.code, call.status.message) == (2, "went wrong")


def test_a_scope_and_a_remote_parent_are_told(tracer: trace.Tracer, collector: Any) -> None:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    with obs.extract(
        {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "tracestate": "v=1"}
    ):
        tracer.start_span("remote").end()
    assert obs.flush(10)
    (resource,) = ExportTraceServiceRequest.FromString(collector.deliveries[-1].body).resource_spans
    (scope,) = resource.scope_spans
    assert (scope.scope.name, scope.scope.version, scope.schema_url) == (
        "lib",
        "1.2",
        "https://schema.example/1",
    )
    # Bits 8 and 9: whether that is known, and that the parent is remote.
    assert (scope.spans[0].flags >> 8, scope.spans[0].trace_state) == (3, "v=1")


def test_blocks_and_decorators_record_errors(
    tracer: trace.Tracer, collector: Any, attributes: Attributes
) -> None:
    with pytest.raises(ValueError, match="mine"), tracer.start_as_current_span("block"):
        raise ValueError("mine Bearer abcdef123")

    @tracer.start_as_current_span("decorated")
    async def work() -> str:
        await asyncio.sleep(0)
        return trace.format_span_id(trace.get_current_span().get_span_context().span_id)

    inside = asyncio.run(work())
    with pytest.raises(KeyError), tracer.start_span("manual"):
        raise KeyError("x")
    found = sent(collector)
    assert found["decorated"].span_id.hex() == inside
    assert {name: span.status.code for name, span in found.items()} == {
        "block": 2,
        "decorated": 0,
        "manual": 2,
    }
    (event,) = found["block"].events
    assert attributes(event)["exception.type"] == "ValueError"
    assert "abcdef123" not in str(found["block"])


def test_ok_is_the_last_word_and_unset_none(tracer: trace.Tracer, collector: Any) -> None:
    span = tracer.start_span("x")
    span.set_status(StatusCode.ERROR, "first")
    span.set_status(StatusCode.UNSET)
    assert span.is_recording()
    span.set_status(StatusCode.OK, "left out")
    span.set_status(StatusCode.ERROR, "too late")
    span.end()
    assert not span.is_recording()
    status = sent(collector)["x"].status
    assert (status.code, status.message) == (1, "")


def test_a_span_is_bounded_whatever_is_put_into_it(tracer: trace.Tracer, collector: Any) -> None:
    span = tracer.start_span("x" * 10_000)
    context = span.get_span_context()
    for number in range(1_000):
        span.set_attribute(f"k{number}", "v" * 100_000)
        span.add_event(f"e{number}", {f"k{number}": number for number in range(300)})
        span.add_link(context)
    span.end()
    assert obs.flush(10)
    (found,) = collector.spans
    assert (len(found.attributes), len(found.events), len(found.links)) == (128, 128, 128)
    assert (found.dropped_attributes_count, found.dropped_events_count, found.dropped_links_count) == (
        872,
        872,
        872,
    )
    assert len(found.name) < 1_000
    assert len(collector.deliveries[-1].body) < 6_000_000


@given(st.dictionaries(st.text(), st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
), max_size=5))  # fmt: skip
def test_no_attributes_are_too_odd_to_be_sent(given: dict[str, Any]) -> None:
    from opentelemetry.proto.trace.v1.trace_pb2 import Span

    from obs.runtime.otel import spans
    from obs.runtime.otel.sampling import Head
    from obs.runtime.otel.source import Source
    from obs.runtime.otel.span import Scope

    source = Source(Head(1.0, trusted=True), ())
    span = source.begin("x", source.context(None), None, SpanKind.INTERNAL, Scope("lib"))
    span.set_attributes(given)
    span.add_event("e", given)
    span.end()
    message = spans._span(span)
    assert Span.FromString(message.SerializeToString()) == message or "nan" in str(message)


def test_a_forked_childs_traces_have_ids_of_their_own() -> None:
    code = (
        "import os, obs\n"
        "obs.init('shop')\n"
        "reader, writer = os.pipe()\n"
        "pid = os.fork()\n"
        "with obs.span('x'):\n"
        "    mine = obs.ids().trace_id\n"
        "if pid == 0:\n"
        "    os.write(writer, mine.encode()); os._exit(0)\n"
        "os.waitpid(pid, 0)\n"
        "child = os.read(reader, 64).decode()\n"
        "assert len(child) == 32 and child != mine, (child, mine)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)
