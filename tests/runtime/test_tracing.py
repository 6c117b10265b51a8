"""Spans: real OTLP to a real receiver, dead and black-holed collectors, adopted providers."""

from __future__ import annotations

import asyncio
import random
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import obs
from obs.errors import ConfigError
from obs.runtime import tally

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def dead_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@pytest.fixture
def black_hole() -> Iterator[int]:
    """A collector that accepts connections and never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(16)
        yield int(listener.getsockname()[1])


def until(condition: Callable[[], bool], seconds: float = 30.0) -> bool:
    ends = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > ends:
            return False
        time.sleep(0.01)
    return True


def test_a_span_arrives_with_resource_attributes_and_bound_fields(
    collector: Any, attributes: Callable[[Any], dict[str, Any]]
) -> None:
    obs.init("shop", version="1.2", environment="test", otlp_endpoint=collector.url)
    with obs.bind(user_id=7), obs.span("pay", {"amount": 5, "card": {"token": "t"}}) as span:
        span.set(password="p", ok=True)  # noqa: S106
        span.event("charged", provider="x")
    assert obs.flush(30)
    (received,) = collector.spans
    got = attributes(received)
    assert received.name == "pay"
    assert (got["user_id"], got["amount"], got["ok"], got["password"]) == (7, 5, True, "[redacted]")
    assert "[redacted]" in got["card"]
    assert [event.name for event in received.events] == ["charged"]
    resource = collector.resources[0]
    assert resource["service.name"] == "shop"
    assert resource["service.version"] == "1.2"
    assert resource["deployment.environment.name"] == "test"


def test_traces_may_have_an_address_of_their_own(collector: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    # A full one: nothing is added to it.
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", f"{collector.url}/v1/traces")
    obs.init("shop", otlp_endpoint="http://127.0.0.1:9")
    with obs.span("work"):
        pass
    assert obs.flush(30)
    assert collector.names() == ["work"]


def test_headers_for_the_collector_are_sent(collector: Any) -> None:
    obs.init("shop", otlp_endpoint=collector.url, otlp_headers={"x-tenant": "blue"})
    with obs.span("a"):
        pass
    assert obs.flush(30)
    assert {name.lower(): value for name, value in collector.headers[0].items()}["x-tenant"] == "blue"


def test_spans_nest_and_a_decorator_makes_one_each_call(collector: Any) -> None:
    obs.init("shop", otlp_endpoint=collector.url)

    @obs.span("inner")
    def inner(value: int) -> int:
        return value + 1

    @obs.span("later")
    async def later() -> int:
        async with obs.span("deep"):
            return inner(1)

    with obs.span("outer"):
        assert inner(1) == 2
        assert asyncio.run(later()) == 2
    assert obs.flush(30)
    spans = {span.name: span for span in collector.spans}
    assert sorted(collector.names()) == ["deep", "inner", "inner", "later", "outer"]
    assert {span.trace_id for span in collector.spans} == {spans["outer"].trace_id}
    assert spans["deep"].parent_span_id == spans["later"].span_id


def test_an_error_marks_the_span_and_passes(
    collector: Any, attributes: Callable[[Any], dict[str, Any]]
) -> None:
    obs.init("shop", otlp_endpoint=collector.url)
    with pytest.raises(ValueError, match="bad"), obs.span("work"):
        raise ValueError("bad Bearer abcdef123")
    assert obs.flush(30)
    (span,) = collector.spans
    assert span.status.code == 2
    assert "abcdef123" not in span.status.message
    event = attributes(span.events[0])
    assert event["exception.type"] == "ValueError"
    assert "Traceback" in event["exception.stacktrace"]
    assert "abcdef123" not in str(span)


def test_the_head_ratio_decides_for_the_whole_trace(collector: Any) -> None:
    obs.init("shop", otlp_endpoint=collector.url, traces_ratio=0.0)
    with obs.span("outer"), obs.span("inner"):
        assert obs.ids().trace_id
    assert obs.flush(30)
    assert collector.spans == []


def test_without_an_endpoint_spans_have_ids_and_status_says_why_nothing_is_exported() -> None:
    status = obs.init("shop")
    with obs.span("outer"):
        outer = obs.ids()
        with obs.span("inner"):
            inner = obs.ids()
    assert inner.trace_id == outer.trace_id
    assert inner.span_id != outer.span_id
    assert "no OTLP endpoint" in status.skipped["trace export"]


def test_tracers_of_libraries_use_ours_and_survive_shutdown_and_init(collector: Any) -> None:
    from opentelemetry import trace

    tracer = trace.get_tracer("some.library")
    obs.init("shop", otlp_endpoint=collector.url)
    with tracer.start_as_current_span("before"):
        pass
    obs.shutdown()
    with tracer.start_as_current_span("between"):
        pass
    obs.init("shop", otlp_endpoint=collector.url)
    with tracer.start_as_current_span("after"):
        pass
    assert obs.flush(30)
    assert collector.names() == ["before", "after"]


def test_an_outage_is_one_line_when_it_starts_one_when_it_ends_and_drops_are_counted(
    collector: Any, lines: Lines
) -> None:
    collector.status = 400
    # Sent by the flush alone, which then knows what became of it.
    obs.init("shop", otlp_endpoint=collector.url, export_interval=60)
    for _ in range(3):
        with obs.span("lost"):
            pass
        assert not obs.flush(5)
    collector.status = 200
    with obs.span("kept"):
        pass
    assert obs.flush(30)
    written: list[dict[str, Any]] = []

    def both() -> bool:
        written.extend(lines())
        return len(written) >= 2

    assert until(both)
    assert [(line["level"], line["logger"]) for line in written] == [("warning", "obs"), ("info", "obs")]
    assert tally.count("spans_dropped", "rejected") == 3
    assert collector.names() == ["kept"]


def test_a_full_queue_drops_and_counts_instead_of_growing(black_hole: int) -> None:
    obs.init("shop", otlp_endpoint=f"http://127.0.0.1:{black_hole}", span_queue=10, span_batch=1)
    for _ in range(100):
        with obs.span("x"):
            pass
    # Ten wait, and at most one is being sent.
    assert tally.count("spans_dropped", "queue_full") >= 89


@pytest.mark.parametrize("kind", ["refused", "black hole"])
def test_flush_and_shutdown_keep_their_deadline_with_a_dead_collector(
    kind: str, dead_port: int, black_hole: int
) -> None:
    port = dead_port if kind == "refused" else black_hole
    obs.init("shop", otlp_endpoint=f"http://127.0.0.1:{port}", export_interval=0.01)
    with obs.span("x"):
        pass
    # The deadline is the promise under test, not the speed of this machine: it is far below the
    # ten seconds that one export may take.
    began = time.monotonic()
    assert not obs.flush(0.3)
    middle = time.monotonic()
    assert not obs.shutdown(0.3)
    ended = time.monotonic()
    assert middle - began < 5
    assert ended - middle < 5
    assert tally.counts("spans_dropped")


def test_a_process_with_a_dead_collector_exits_in_time_and_says_it_once(dead_port: int) -> None:
    code = (
        "import obs, time\n"
        f"obs.init('shop', otlp_endpoint='http://127.0.0.1:{dead_port}', shutdown_timeout=0.5,"
        " export_interval=0.01, otlp_timeout=0.2)\n"
        "for _ in range(20):\n"
        "    with obs.span('x'): pass\n"
        "    time.sleep(0.05)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == 1
    assert "cannot be delivered" in done.stdout


def test_spans_are_delivered_when_the_process_ends(collector: Any) -> None:
    code = f"import obs\nobs.init('shop', otlp_endpoint={collector.url!r})\nwith obs.span('last'): pass\n"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)
    assert collector.names() == ["last"]


def test_a_provider_of_the_host_is_adopted_and_reported() -> None:
    code = (
        "from opentelemetry import trace\n"
        "from opentelemetry.sdk.trace import TracerProvider\n"
        "mine = TracerProvider(); trace.set_tracer_provider(mine)\n"
        "import obs\n"
        "status = obs.init('shop')\n"
        "assert 'tracer provider' in status.adopted, status\n"
        "assert trace.get_tracer_provider() is mine\n"
        "with obs.span('x'): assert obs.ids().trace_id\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)


_ADOPTED = """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
kept = InMemorySpanExporter()
mine = TracerProvider(); mine.add_span_processor(SimpleSpanProcessor(kept)); trace.set_tracer_provider(mine)
import obs
obs.init("shop", log_level="critical")
SECRET = "hunter2" + "xyzzy"
try:
    with obs.bind(api_key=SECRET), obs.span("Bearer " + SECRET, {"password": SECRET, "order": 7}) as span:
        span.set(token=SECRET, step=1)
        span.event("half way", cookie=SECRET, done=True)
        raise ValueError("password=" + SECRET)
except ValueError:
    pass
with obs.span("refused") as span:
    span.fail("token=" + SECRET)
first, second = kept.get_finished_spans()
assert SECRET not in first.to_json() + second.to_json(), first.to_json() + second.to_json()
assert (first.attributes["order"], first.attributes["step"], first.events[0].attributes["done"]) == (7, 1, True)
assert (first.status.status_code.name, second.status.status_code.name) == ("ERROR", "ERROR")
assert first.attributes["error.type"] == "ValueError"
assert [event.name for event in first.events] == ["half way", "exception"]
"""


def test_no_secret_reaches_a_provider_of_the_host() -> None:
    subprocess.run([sys.executable, "-c", _ADOPTED], check=True, timeout=120)


def test_no_thread_runs_until_there_is_something_to_export(collector: Any) -> None:
    # A thread of an earlier test may still be waiting for a collector that never answers.
    before = set(threading.enumerate())

    def started() -> list[str]:
        return [thread.name for thread in set(threading.enumerate()) - before if thread.name == "obs-spans"]

    obs.init("shop", otlp_endpoint=collector.url)
    assert started() == []
    with obs.span("x"):
        pass
    assert started() == ["obs-spans"]


def test_an_unknown_kind_of_span_is_refused() -> None:
    with pytest.raises(ConfigError, match="expected one of internal"):
        obs.span("x", kind="sever")  # type: ignore[arg-type]


def test_with_traces_off_a_span_is_a_plain_block() -> None:
    obs.init("shop", traces=False)
    with obs.span("x") as span:
        span.set(a=1)
        span.event("e")
        span.fail("f")
        assert obs.ids() == ("", "", "")


def test_unusual_attributes_do_not_raise(collector: Any) -> None:
    obs.init("shop", otlp_endpoint=collector.url)
    with obs.span("x", {"none": None, "list": [1, "a"], "same": [1, 2], "thing": object(), "big": 2**90}):
        pass
    assert obs.flush(30)
    assert collector.names() == ["x"]
    assert tally.counts("errors") == {}


class Mute(Exception):
    """An error that cannot say what it is."""

    def __str__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize("odd", ["a\udcff", 5, None, b"\xff", "n" * 100_000])
def test_a_name_that_cannot_be_sent_costs_no_other_span(odd: Any, collector: Any) -> None:
    obs.init("shop", otlp_endpoint=collector.url)
    with obs.span("good"), obs.span(odd, {odd: odd}) as span:
        span.event(odd)
        span.fail(odd)
    assert obs.flush(30)
    sent, good = collector.spans
    assert good.name == "good"
    assert len(sent.name) < 300
    assert all(len(attribute.key) < 300 for attribute in sent.attributes)


@pytest.mark.parametrize("error", [ValueError("\udcff"), Mute()])
def test_an_error_that_cannot_be_written_out_still_fails_its_span(error: Exception, collector: Any) -> None:
    obs.init("shop", otlp_endpoint=collector.url)

    def work() -> None:
        with obs.span("work"):
            raise error

    with pytest.raises(type(error)):
        work()
    assert obs.flush(30)
    (span,) = collector.spans
    assert span.status.code == span.status.STATUS_CODE_ERROR
    assert [event.name for event in span.events] == ["exception"]


def test_attributes_that_are_no_mapping_are_refused() -> None:
    with pytest.raises(ConfigError, match="expected a mapping"):
        obs.span("pack", [1])  # type: ignore[arg-type]


def test_a_host_that_seeds_the_common_generator_repeats_no_ids() -> None:
    obs.init("shop")
    seen = set()
    for _ in range(2):
        random.seed(7)
        with obs.span("work"):
            seen.add(obs.ids().trace_id)
    assert len(seen) == 2
