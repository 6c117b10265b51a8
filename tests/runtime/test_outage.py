"""A collector that fails in every way it can: told once, counted, and never waited for longer than allowed."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

import obs
from obs.runtime import tally

Lines = Callable[[], list[dict[str, Any]]]
#: What a deadline may be missed by.
SLACK = 0.2


def spans(count: int, name: str = "x") -> None:
    for _ in range(count):
        with obs.span(name):
            pass


def until(condition: Callable[[], object], seconds: float = 30.0) -> bool:
    ends = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > ends:
            return False
        time.sleep(0.01)
    return True


@contextmanager
def answering(answer: bytes, *, keep_open: bool = False) -> Iterator[int]:
    """Serve a port that reads what comes and answers `answer`, whatever that is."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.05)
    over = threading.Event()
    held: list[socket.socket] = []

    def serve() -> None:
        while not over.is_set():
            try:
                accepted, _ = listener.accept()
            except TimeoutError:
                continue
            accepted.settimeout(0.2)
            held.append(accepted)
            try:
                accepted.recv(65_536)
                for byte in answer:
                    accepted.sendall(bytes([byte]))
                    if keep_open and over.wait(0.05):
                        break
            except OSError:
                pass
            if not keep_open:
                accepted.close()

    thread = threading.Thread(target=serve)
    thread.start()
    yield listener.getsockname()[1]
    over.set()
    thread.join()
    listener.close()
    for accepted in held:
        accepted.close()


@pytest.mark.parametrize("status", [429, 502, 503, 504, 408])
def test_a_busy_collector_is_asked_again_and_nothing_is_lost_or_doubled(collector: Any, status: int) -> None:
    collector.next(*[collector.behaviour._replace(status=status)] * 2)
    obs.init("shop", otlp_endpoint=collector.url)
    spans(1, "kept")
    assert obs.flush(10)
    assert collector.names() == ["kept"]
    assert len(collector.deliveries) == 3
    assert tally.counts("spans_dropped") == {}


def test_the_wait_that_a_collector_asks_for_is_kept(collector: Any) -> None:
    collector.next(collector.behaviour._replace(status=429, retry_after=1))
    obs.init("shop", otlp_endpoint=collector.url)
    spans(1)
    assert obs.flush(10)
    first, second = (delivery.at for delivery in collector.deliveries)
    assert second - first >= 1


def test_a_flush_does_not_wait_for_longer_than_it_may_and_asks_no_more(collector: Any) -> None:
    collector.status = 503
    collector.behaviour = collector.behaviour._replace(retry_after=86_400)
    obs.init("shop", otlp_endpoint=collector.url, log_level="critical")
    spans(1)
    began = time.monotonic()
    assert not obs.flush(30)
    assert not obs.flush(30)
    assert time.monotonic() - began < 20
    assert len(collector.deliveries) == 1
    assert not obs.shutdown(5)
    assert tally.counts("spans_dropped") == {"shutdown": 1}


@pytest.mark.parametrize("status", [400, 401, 404, 413, 500, 301])
def test_a_refusal_is_final_counted_and_told_once(collector: Any, lines: Lines, status: int) -> None:
    collector.status = status
    obs.init("shop", otlp_endpoint=collector.url)
    for _ in range(3):
        spans(2)
        assert not obs.flush(10)
    assert tally.counts("spans_dropped") == {"rejected": 6}
    assert len(collector.deliveries) == 3
    (line,) = lines()
    assert (line["level"], line["event"]) == ("warning", "export.outage")
    assert f"HTTP {status}" in line["message"]


def test_an_outage_that_the_collector_announces_is_told_while_it_lasts(collector: Any, lines: Lines) -> None:
    collector.behaviour = collector.behaviour._replace(status=429, retry_after=86_400)
    obs.init("shop", otlp_endpoint=collector.url, export_interval=0.01)
    spans(1)
    written: list[dict[str, Any]] = []

    def told() -> bool:
        written.extend(lines())
        return bool(written)

    assert until(told)
    assert [line["event"] for line in written] == ["export.outage"]
    assert "429" in written[0]["reason"]
    assert len(collector.deliveries) == 1
    obs.shutdown(0.1)
    assert not lines()


def test_an_outage_is_told_when_it_starts_and_when_it_ends_with_its_cost(
    collector: Any, lines: Lines
) -> None:
    collector.behaviour = collector.behaviour._replace(fault="reset")
    obs.init("shop", otlp_endpoint=collector.url, span_queue=4, otlp_timeout=1, export_interval=0.01)
    written: list[dict[str, Any]] = []

    def told(count: int) -> bool:
        written.extend(lines())
        return len(written) >= count

    spans(20)
    assert until(lambda: told(1))
    before = tally.count("spans_dropped", "queue_full")
    spans(20)
    assert tally.count("spans_dropped", "queue_full") > before
    collector.behaviour = collector.behaviour._replace(fault="")
    assert until(lambda: told(2))
    assert obs.flush(10)
    started, ended = written
    assert (started["level"], started["event"]) == ("warning", "export.outage")
    assert (ended["level"], ended["event"]) == ("info", "export.recovered")
    assert ended["duration"] > 0
    assert ended["dropped"] >= tally.count("spans_dropped", "queue_full") - before
    assert not lines()


@pytest.mark.parametrize("fault", ["reset", "close", "silent"])
def test_flush_and_shutdown_keep_their_deadline(collector: Any, fault: str) -> None:
    collector.behaviour = collector.behaviour._replace(fault=fault)
    obs.init("shop", otlp_endpoint=collector.url, log_level="critical")
    spans(3)
    # The promise under test is the deadline, far below the ten seconds of one export.
    began = time.monotonic()
    assert not obs.flush(0.3)
    middle = time.monotonic()
    assert not obs.shutdown(0.3)
    ended = time.monotonic()
    assert middle - began < 0.3 + 4
    assert ended - middle < 0.3 + 4
    assert tally.counts("spans_dropped") == {"shutdown": 3}
    assert not [thread for thread in threading.enumerate() if thread.name == "obs-spans"]


def test_a_slow_collector_delays_nobody_and_gets_everything(collector: Any) -> None:
    collector.behaviour = collector.behaviour._replace(delay=2)
    obs.init("shop", otlp_endpoint=collector.url)
    began = time.monotonic()
    spans(3)
    assert not obs.flush(0.1)
    assert time.monotonic() - began < 2
    assert obs.flush(30)
    assert len(collector.names()) == 3


def test_an_answer_that_is_cut_off_counts_as_delivered_because_its_status_came(collector: Any) -> None:
    collector.next(collector.behaviour._replace(fault="cut"))
    obs.init("shop", otlp_endpoint=collector.url)
    spans(1)
    assert obs.flush(10)
    assert len(collector.deliveries) == 1


def test_records_that_are_refused_in_a_success_are_counted_and_told_once(
    collector: Any, lines: Lines
) -> None:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
        ExportTracePartialSuccess,
        ExportTraceServiceResponse,
    )

    partial = ExportTraceServiceResponse(
        partial_success=ExportTracePartialSuccess(rejected_spans=2, error_message="too old")
    )
    collector.behaviour = collector.behaviour._replace(body=partial.SerializeToString())
    obs.init("shop", otlp_endpoint=collector.url)
    for _ in range(2):
        spans(3)
        assert not obs.flush(10)
    assert tally.counts("spans_dropped") == {"rejected": 4}
    assert [line["event"] for line in lines()] == ["export.refused"]


def test_a_success_with_a_body_of_something_else_is_a_success(collector: Any) -> None:
    collector.behaviour = collector.behaviour._replace(body=b"<html>fine</html>")
    obs.init("shop", otlp_endpoint=collector.url)
    spans(1)
    assert obs.flush(10)
    assert tally.counts("spans_dropped") == {}


@pytest.mark.parametrize("answer", [b"\x00\x00\x12\x04\x00garbage\r\n\r\n", b"HTTP/1.1 what\r\n\r\n", b""])
def test_what_is_no_http_is_an_outage(answer: bytes, lines: Lines) -> None:
    with answering(answer) as port:
        obs.init("shop", otlp_endpoint=f"http://127.0.0.1:{port}")
        spans(1)
        assert not obs.flush(10)
        obs.shutdown(1)
    assert [line["event"] for line in lines() if "traces" in line["message"]] == ["export.abandoned"]


def test_an_answer_a_byte_at_a_time_does_not_hold_an_export_beyond_its_limit() -> None:
    with answering(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 4_000, keep_open=True) as port:
        obs.init("shop", otlp_endpoint=f"http://127.0.0.1:{port}", otlp_timeout=0.3, log_level="critical")
        spans(1)
        began = time.monotonic()
        assert not obs.flush(20)
        assert time.monotonic() - began < 10
        obs.shutdown(0)


def test_the_port_of_grpc_is_recognised(lines: Lines) -> None:
    from obs.runtime.otel.sender import Sender

    settings = obs.init("shop").settings
    assert settings is not None
    sender = Sender("http://127.0.0.1:4317/v1/traces", settings)
    assert "4318" in sender._why(ConnectionResetError(104, "reset"))


def test_bodies_are_compressed_on_request(collector: Any) -> None:
    obs.init("shop", otlp_endpoint=collector.url, otlp_compression="gzip")
    spans(50)
    obs.flush(10)
    (delivery,) = collector.deliveries
    headers = {name.lower(): value for name, value in delivery.headers.items()}
    assert headers["content-encoding"] == "gzip"

    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    found = ExportTraceServiceRequest.FromString(delivery.body)
    assert len(found.resource_spans[0].scope_spans[0].spans) == 50


def test_user_and_password_of_the_url_are_sent_and_never_shown(collector: Any, lines: Lines) -> None:
    collector.next(collector.behaviour._replace(status=400))
    url = collector.url.replace("http://", "http://me:s%40cret@")
    obs.init("shop", otlp_endpoint=url)
    spans(1)
    assert not obs.flush(10)
    headers = {name.lower(): value for name, value in collector.deliveries[0].headers.items()}
    assert headers["authorization"] == "Basic bWU6c0BjcmV0"
    assert "cret" not in str(lines())


def test_memory_is_bounded_during_an_outage(collector: Any) -> None:
    collector.status = 503
    obs.init("shop", otlp_endpoint=collector.url, span_queue=100, span_batch=10, log_level="critical")
    spans(5_000)
    assert tally.count("spans_dropped", "queue_full") >= 5_000 - 110


def test_a_connection_that_the_collector_closed_meanwhile_is_opened_anew(collector: Any) -> None:
    obs.init("shop", otlp_endpoint=collector.url)
    for number in range(3):
        spans(1, f"span {number}")
        assert obs.flush(10)
    assert collector.names() == ["span 0", "span 1", "span 2"]
    assert tally.counts("spans_dropped") == {}
