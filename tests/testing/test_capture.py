"""What the kit captures, under which ids and clock, and how it leaves the process."""

from __future__ import annotations

import asyncio
import http.client
import logging
import os
import subprocess
import sys
import threading
import unittest
from typing import Any

import httpx
import pytest

import obs
from obs.errors import ObsError
from obs.runtime import clock, context, recording, setup, tally
from obs.testing import Telemetry, capture

FIRST_TRACE = "0" * 31 + "1"


def test_one_piece_of_work_is_seen_in_every_pillar_under_one_id(telemetry: Telemetry) -> None:
    counter = obs.counter("kit.orders", labels=("method",))
    with obs.bind(user="ann"), obs.span("pack", {"order": 7}, kind="consumer") as span:
        span.event("half way", done=1)
        obs.log.info("order placed", order=7)
        counter.inc(method="card")
    line = telemetry.assert_logged("order placed", order=7, user="ann", trace_id=FIRST_TRACE)
    found = telemetry.assert_span("pack", order=7, kind="consumer", status="unset")
    assert (found.trace_id, found.span_id, found.parent_id) == (FIRST_TRACE, line["span_id"], "")
    assert found.events == (("half way", {"done": 1}),)
    telemetry.assert_counted("kit.orders", 1, method="card")
    assert telemetry.value("kit.orders") == 1
    telemetry.assert_no_errors()


def test_lines_of_standard_logging_and_structlog_and_warnings_are_seen_too(telemetry: Telemetry) -> None:
    import structlog

    logging.getLogger("shop.stock").warning("%d left", 3)
    structlog.get_logger("shop").info("restocked", by=2)
    telemetry.assert_logged("3 left", level="warning", logger="shop.stock")
    telemetry.assert_logged("restocked", by=2)


def test_ids_count_from_one_in_every_test_alike(telemetry: Telemetry) -> None:
    with obs.span("first"), obs.span("inner"):
        pass
    with obs.span("second"):
        pass
    inner, first, second = telemetry.spans
    assert (first.trace_id, second.trace_id) == (FIRST_TRACE, "0" * 31 + "2")
    assert (first.span_id, inner.span_id, second.span_id) == tuple("0" * 15 + digit for digit in "123")
    assert inner.parent_id == first.span_id
    assert [context.new_request_id() for _ in range(2)] == [FIRST_TRACE, "0" * 31 + "2"]


def test_the_clock_stands_still_until_it_is_moved(telemetry: Telemetry) -> None:
    wait = obs.histogram("kit.wait")
    with obs.span("slow"), wait.time(), obs.job("kit"):
        telemetry.clock.tick(2.5)
    obs.log.info("done")
    assert telemetry.assert_logged("done")["timestamp"] == "2026-01-01T00:00:02.500000Z"
    assert telemetry.assert_span("slow").duration == 2.5
    assert telemetry.distribution("kit.wait").sum == 2.5
    assert telemetry.distribution("job.duration", job_name="kit").sum == 2.5
    assert telemetry.value("job.last_success", job_name="kit") == telemetry.clock.now()
    with pytest.raises(ValueError, match="expected zero or more"):
        telemetry.clock.tick(-1)


def test_a_line_that_repeats_is_never_left_out(telemetry: Telemetry) -> None:
    """The clock stands still, so a limit a second would hold for ever."""
    for _ in range(300):
        obs.log.info("again")
    assert len(telemetry.logs) == 300


def test_what_other_threads_and_event_loops_do_is_seen(telemetry: Telemetry) -> None:
    async def work() -> None:
        with obs.span("on the loop"):
            await asyncio.to_thread(obs.log.info, "in a thread")

    asyncio.run(work())
    thread = threading.Thread(target=lambda: obs.log.info("in another"))
    thread.start()
    thread.join()
    telemetry.assert_logged("in a thread", trace_id=FIRST_TRACE)
    telemetry.assert_logged("in another")


def test_the_tracers_of_other_libraries_are_seen(telemetry: Telemetry) -> None:
    from opentelemetry import trace

    with trace.get_tracer("some.library").start_as_current_span("theirs"):
        pass
    assert telemetry.assert_span("theirs").scope == "some.library"


def test_the_application_may_start_obs_itself(telemetry: Telemetry) -> None:
    status = obs.init("shop", otlp_endpoint="http://127.0.0.1:9", log_level="warning")
    assert status.skipped["otlp_endpoint"] == "captured by a test"
    obs.log.info("quiet")
    obs.log.warning("loud")
    with obs.span("work"):
        pass
    assert [line["message"] for line in telemetry.logs] == ["loud"]
    telemetry.assert_span("work", status="unset")
    obs.shutdown()
    obs.log.info("after")


def test_an_error_is_an_event_a_line_and_a_failed_span(telemetry: Telemetry) -> None:
    from obs.runtime.crashes import unhandled

    error = ValueError("kaputt")
    with pytest.raises(ValueError, match="kaputt"), obs.span("work"):
        raise error
    unhandled(error, "thread", "unhandled exception in a thread", name="worker")
    telemetry.assert_error(ValueError, mechanism="thread", message="kaputt", name="worker", handled=False)
    telemetry.assert_span("work", {"error.type": "ValueError"}, status="error")
    telemetry.assert_logged("unhandled exception in a thread", level="error")
    telemetry.assert_counted("exceptions.unhandled", 1, mechanism="thread")


def test_values_are_read_by_signal_metric_name_or_handle_and_by_some_labels(telemetry: Telemetry) -> None:
    from prometheus_client import Counter as HostCounter

    from obs.catalogue import jobs

    hits = obs.counter("kit.hits", labels=("kind", "place"))
    level = obs.gauge("kit.level", labels=("place",))
    hits.inc(kind="a", place="x")
    hits.inc(2, kind="a", place="y")
    hits.inc(4, kind="b", place="y")
    level.set(5, place="x")
    host = HostCounter("kit_of_the_host", "Theirs.", ["kind"])
    host.labels("a").inc(3)
    assert (telemetry.value("kit.hits"), telemetry.value(hits, kind="a")) == (7, 3)
    assert telemetry.value(hits.signal, {"kind": "b"}, place="y") == 4
    assert telemetry.value(hits, kind="c") == 0
    assert telemetry.value("kit.level", place="x") == 5
    assert telemetry.value("kit_of_the_host_total", kind="a") == 3
    with obs.job("kit"):
        pass
    assert telemetry.value(jobs.RUNS, {"job.name": "kit", "result": "success"}) == 1
    assert any(str(item) == 'kit_level{place="x"} 5' for item in telemetry.metrics)


def test_what_names_nothing_is_refused_in_words(telemetry: Telemetry) -> None:
    anything: Any = 5
    with pytest.raises(ObsError, match="got 5, expected a signal"):
        telemetry.value(anything)
    with pytest.raises(ObsError, match="got 5, expected a type of exception"):
        telemetry.assert_error(anything)


def test_requests_are_read_from_the_histogram_that_counts_them(telemetry: Telemetry) -> None:
    from obs.integrations.exchange import DURATION

    DURATION.observe(0.2, http_request_method="GET", http_route="/x", http_response_status_code="200")
    assert telemetry.value("http.server.requests", http_route="/x") == 1


def test_clear_forgets_and_counts_from_there(telemetry: Telemetry) -> None:
    hits = obs.counter("kit.cleared")
    hits.inc(3)
    obs.log.info("before")
    telemetry.clear()
    hits.inc()
    assert telemetry.logs == []
    telemetry.assert_counted(hits, 1)
    assert telemetry.value(hits) == 4


def test_obs_that_ran_before_runs_again_with_the_same_settings() -> None:
    settings = obs.init("shop", log_level="error", series_cap=77).settings
    hits = obs.counter("kit.before")
    hits.inc()
    with capture(access_log=False) as telemetry:
        inside = obs.status().settings
        assert inside is not None
        assert (inside.service, inside.series_cap, inside.access_log) == ("shop", 77, False)
        hits.inc()
        telemetry.assert_counted(hits, 1)
    assert obs.status().settings == settings
    assert recording.recorder() is None
    assert clock.now is __import__("time").time


def test_obs_that_was_stopped_is_stopped_again(lines: Any) -> None:
    handlers, fresh = list(logging.root.handlers), context.new_request_id
    with capture() as telemetry:
        obs.log.info("seen")
    assert not obs.status().running
    assert logging.root.handlers == handlers
    assert [line["message"] for line in lines()] == ["seen"]
    assert telemetry.assert_logged("seen")
    assert tally.counts("log_records") == {}
    assert context.new_request_id is fresh


def test_a_failing_block_leaves_the_process_clean_too() -> None:
    with pytest.raises(ZeroDivisionError), capture():
        _ = 1 / 0
    assert not obs.status().running
    with pytest.raises(obs.ConfigError), capture(log_level="loudest"):
        pass
    assert recording.recorder() is None
    assert not setup.status().running


def test_what_a_block_leaves_open_is_not_seen_in_the_next() -> None:
    with capture():
        left: list[Any] = [obs.bind(user=7), obs.span("never ended")]
        for block in left:
            block.__enter__()
        obs.extract({"traceparent": f"00-{'a' * 32}-{'b' * 16}-01", "x-request-id": "left"})
    with capture() as telemetry:
        obs.log.info("next")
        assert {"user", "trace_id", "request_id"}.isdisjoint(telemetry.logs[0])
    with obs.bind(user=8), capture() as telemetry:
        obs.log.info("bound around the block")
        telemetry.assert_logged("bound around the block", user=8)


def test_captures_do_not_nest(telemetry: Telemetry) -> None:
    with pytest.raises(RuntimeError, match="in progress"), capture():
        pass


def test_the_tracer_provider_of_the_host_is_captured_too() -> None:
    """In a process of its own: OpenTelemetry accepts a global provider once."""
    code = (
        "from opentelemetry import trace\n"
        "from opentelemetry.sdk.trace import TracerProvider\n"
        "mine = TracerProvider(); trace.set_tracer_provider(mine)\n"
        "import obs; from obs.testing import capture\n"
        "for name in ('first', 'second'):\n"
        "    with capture() as telemetry:\n"
        "        with obs.span(name): pass\n"
        "        assert [span.name for span in telemetry.spans] == [name], telemetry.spans\n"
        "assert trace.get_tracer_provider() is mine\n"
        "print('fine')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("fine\n")


def test_nothing_is_sent_out_while_a_block_is_captured(collector: Any) -> None:
    with capture(otlp_endpoint=collector.url, log_level="info") as telemetry:
        with obs.span("work"):
            pass
        assert obs.flush(30)
    telemetry.assert_span("work")
    assert collector.deliveries == []


class WithUnittest(unittest.TestCase):
    def setUp(self) -> None:
        block = capture("shop")
        self.telemetry = block.__enter__()
        self.addCleanup(block.__exit__, None, None, None)

    def test_it_works_without_fixtures(self) -> None:
        obs.log.info("seen", process=os.getpid())
        self.telemetry.assert_logged("seen", service="shop", process=os.getpid())


def test_handled_errors_audit_records_and_security_events_are_captured(telemetry: Telemetry) -> None:
    obs.audit("PAYMENT", "order/7", actor="ann", before={"card": "4111111111111111"}, amount=9)
    obs.security_event("token_replayed", user="ann")
    obs.capture(TimeoutError("no answer"), operation="charge")
    record = telemetry.assert_audited("PAYMENT", actor="ann", outcome="success", amount=9)
    assert record["before"] == {"card": "[redacted]"}
    telemetry.assert_audited("token_replayed", user="ann")
    assert len(telemetry.audit) == 2
    telemetry.assert_error(TimeoutError, mechanism="manual", handled=True, operation="charge")
    with pytest.raises(AssertionError, match="2 errors captured"):
        telemetry.assert_no_errors()
    telemetry.assert_no_secrets("4111111111111111")


def test_the_server_of_the_process_answers_during_a_capture_and_after_it() -> None:
    obs.init("shop", log_level="error")
    port = obs.serve(0)

    def answered() -> int:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", "/live")
        return connection.getresponse().status

    with capture():
        assert answered() == 200
    assert answered() == 200


def test_what_a_health_check_found_in_one_test_is_not_known_in_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from obs.runtime import health

    monkeypatch.setattr(health, "_checks", {})
    asked = []
    obs.check("database", ttl=60)(lambda: asked.append(1))
    for _ in range(2):
        with capture():
            assert [health.readiness().status for _ in range(2)] == [200, 200]
    assert len(asked) == 2


def test_a_request_is_seen_whole_under_the_ids_and_the_clock_of_the_test(telemetry: Telemetry) -> None:
    from fastapi import FastAPI

    app = FastAPI()

    @app.get("/items/{item}")
    async def read(item: str) -> str:
        telemetry.clock.tick(1.5)
        return item

    obs.instrument(app)

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
            return await client.get("/items/7")

    answer = asyncio.run(ask())
    assert answer.headers["x-request-id"] == FIRST_TRACE
    line = telemetry.assert_logged("http.request", route="/items/{item}", duration=1.5, trace_id=FIRST_TRACE)
    span = telemetry.assert_span("GET /items/{item}", {"http.response.status_code": 200}, kind="server")
    assert (span.span_id, span.duration) == (line["span_id"], 1.5)
    telemetry.assert_counted("http.server.requests", 1, {"http.route": "/items/{item}"})
    assert telemetry.distribution("http.server.duration").sum == 1.5
