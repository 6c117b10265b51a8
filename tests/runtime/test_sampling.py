"""The head decides, its decision is followed, and a local root that failed or was slow is recorded after all."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.trace.sampling import Decision, TraceIdRatioBased
from opentelemetry.trace import SpanContext, TraceFlags

import obs
from obs.runtime import context, live
from obs.runtime.metrics import series
from obs.runtime.otel.sampling import Head

Lines = Callable[[], list[dict[str, Any]]]
_TRACE = "0af7651916cd43dd8448eb211c80319c"
#: Its low half is small, so every ratio above a hundredth samples it; and the opposite.
_EARLY, _LATE = "0af7651916cd43dd0000000000000001", "0af7651916cd43ddffffffffffffffff"


def parent(trace_id: str, *, sampled: bool) -> dict[str, str]:
    return {"traceparent": f"00-{trace_id}-b7ad6b7169203331-0{int(sampled)}"}


def request(parent: context.Parent | None = None) -> live.Span:
    backend = live.tracing()
    assert backend is not None
    return backend.start("GET", "server", {"url.path": "/orders/7"}, parent)


@given(st.floats(0, 1), st.integers(1, (1 << 128) - 1))
def test_the_ratio_chooses_the_same_traces_as_opentelemetrys_sampler(ratio: float, trace_id: int) -> None:
    theirs = (
        TraceIdRatioBased(ratio).should_sample(None, trace_id, "x").decision is Decision.RECORD_AND_SAMPLE
    )
    assert Head(ratio, trusted=True).chooses(trace_id) is theirs


@pytest.mark.parametrize("trusted", [True, False])
@pytest.mark.parametrize("sampled", [True, False])
@pytest.mark.parametrize("remote", [True, False])
def test_a_parent_is_followed_unless_it_is_remote_and_not_trusted(
    trusted: bool, sampled: bool, remote: bool
) -> None:
    above = SpanContext(int(_EARLY, 16), 1, is_remote=remote, trace_flags=TraceFlags(int(sampled)))
    expected = True if remote and not trusted else sampled
    assert Head(0.5, trusted=trusted).follows(above) is expected


def test_a_share_of_new_traces_is_sampled_and_what_is_not_keeps_its_ids_on_lines(
    collector: Any, lines: Lines
) -> None:
    obs.init("shop", otlp_endpoint=collector.url, traces_ratio=0.5, log_repeat_limit=0)
    for _ in range(400):
        with obs.span("root"), obs.span("child"):
            obs.log.info("inside")
    assert obs.flush(10)
    recorded = {span.trace_id for span in collector.spans}
    # Six standard deviations either side.
    assert abs(len(recorded) - 200) < 6 * math.sqrt(400 * 0.25)
    assert collector.names().count("root") == collector.names().count("child") == len(recorded)
    written = lines()
    assert len({line["trace_id"] for line in written}) == 400
    assert all(line["span_id"] for line in written)


def test_the_callers_word_decides_as_long_as_it_is_trusted(collector: Any) -> None:
    obs.init("shop", otlp_endpoint=collector.url, traces_ratio=0.5)
    with obs.extract(parent(_LATE, sampled=True)), obs.span("sampled"):
        assert obs.inject({})["traceparent"].endswith("-01")
    with obs.extract(parent(_EARLY, sampled=False)), obs.span("not sampled"):
        assert obs.inject({})["traceparent"].endswith("-00")
    obs.init("shop", otlp_endpoint=collector.url, traces_ratio=0.5, trust_sampled=False)
    with obs.extract(parent(_LATE, sampled=True)), obs.span("refused"):
        assert obs.ids().trace_id == _LATE
        assert obs.inject({})["traceparent"].endswith("-00")
    with obs.extract(parent(_EARLY, sampled=False)), obs.span("taken"), obs.span("below"):
        assert obs.inject({})["traceparent"].endswith("-01")
    assert obs.flush(10)
    assert sorted(collector.names()) == ["below", "sampled", "taken"]


def test_a_failed_request_that_was_not_sampled_leaves_its_root_span(
    collector: Any, attributes: Callable[[Any], dict[str, Any]]
) -> None:
    obs.init("shop", otlp_endpoint=collector.url, traces_ratio=0.0)
    with obs.bind(tenant="blue"):
        span = request(context.parse_traceparent(f"00-{_TRACE}-b7ad6b7169203331-00"))
        ids = obs.ids()
        with obs.span("inside"):
            pass
        span.set({"http.response.status_code": 500, "password": "hunter2"})
        span.rename("GET /orders/{id}")
        span.fail(ValueError("bad Bearer abcdef123"))
        span.fail(None)
        span.end()
    assert obs.flush(10)
    (found,) = collector.spans
    assert found.name == "GET /orders/{id}"
    assert (found.trace_id.hex(), found.span_id.hex()) == (_TRACE, ids.span_id)
    assert found.parent_span_id.hex() == "b7ad6b7169203331"
    assert found.status.code == 2
    assert found.start_time_unix_nano < found.end_time_unix_nano
    told = attributes(found)
    assert told["obs.rescued"] == "failed"
    assert told["tenant"] == "blue"
    assert (told["url.path"], told["http.response.status_code"]) == ("/orders/7", 500)
    assert [event.name for event in found.events] == ["exception"]
    assert "hunter2" not in str(found)
    assert "abcdef123" not in str(found)


def test_a_slow_request_does_too_and_a_quick_one_or_a_slow_job_does_not(
    collector: Any, attributes: Callable[[Any], dict[str, Any]]
) -> None:
    obs.init("shop", otlp_endpoint=collector.url, traces_ratio=0.0, slow_request=0.0)
    request().end()
    with obs.span("slow work"):
        pass
    obs.init("shop", otlp_endpoint=collector.url, traces_ratio=0.0)
    request().end()
    assert obs.flush(10)
    (found,) = collector.spans
    assert attributes(found)["obs.rescued"] == "slow"


def test_below_a_local_root_nothing_is_recorded_after_all(collector: Any) -> None:
    obs.init("shop", otlp_endpoint=collector.url, traces_ratio=0.0)
    with obs.span("root"), pytest.raises(ValueError, match="inner"), obs.span("inner"):
        raise ValueError("inner")
    assert obs.flush(10)
    assert collector.names() == []


def test_a_span_that_is_not_sampled_says_so_to_libraries(collector: Any) -> None:
    from opentelemetry import trace

    obs.init("shop", otlp_endpoint=collector.url, traces_ratio=0.0)
    with obs.span("root"):
        assert not trace.get_current_span().is_recording()
        assert trace.get_current_span().get_span_context().is_valid


def test_a_span_that_an_exemplar_points_to_is_marked_so_that_tail_sampling_keeps_its_trace(
    collector: Any, attributes: Callable[[Any], dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    # A second may pass between two lines of a test.
    monkeypatch.setattr(series, "EXEMPLAR_INTERVAL", 3600.0)
    obs.init("shop", otlp_endpoint=collector.url)
    handle = obs.histogram("test.marked", buckets=(1,))
    for name, seconds in (("first", 0.5), ("same second", 0.5), ("other bucket", 5)):
        with obs.span(name):
            handle.observe(seconds)
    with obs.span("without"):
        pass
    assert obs.flush(10)
    marked = {found.name for found in collector.spans if attributes(found).get("obs.exemplar") is True}
    assert marked == {"first", "other bucket"}
    assert all(
        "obs.exemplar" not in attributes(found) for found in collector.spans if found.name not in marked
    )


def test_the_span_of_a_request_is_marked_by_a_counter_inside_of_it(
    collector: Any, attributes: Callable[[Any], dict[str, Any]]
) -> None:
    obs.init("shop", otlp_endpoint=collector.url)
    handle = obs.counter("test.counted")
    span = request()
    handle.inc()
    span.end()
    assert obs.flush(10)
    (found,) = collector.spans
    assert attributes(found)["obs.exemplar"] is True
