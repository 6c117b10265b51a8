"""What was taken is delivered: over a killed collector, a back end that is away, a full queue, too little memory."""

from __future__ import annotations

import itertools
import json
import re
import signal
import threading
import time
from collections import Counter

import grpc
import pytest
from tests.engines.collector import otlp
from tests.engines.collector.backend import Backend
from tests.engines.collector.conftest import Start
from tests.engines.collector.running import Collector, running
from tests.engines.waiting import await_

pytestmark = pytest.mark.engines

QUEUE = "otelcol_exporter_queue_size"
CAPACITY = "otelcol_exporter_queue_capacity"
REFUSED = "otelcol_receiver_refused_log_records_total"
REFUSED_SPANS = "otelcol_receiver_refused_spans_total"
_NUMBER = re.compile(r"line (\d+)")


def _numbers(backend: Backend) -> Counter[int]:
    found = (_NUMBER.match(record.body.string_value) for record in backend.received.records())
    return Counter(int(match[1]) for match in found if match)


def _filled(collector: Collector, kind: str) -> float:
    return collector.total(QUEUE, data_type=kind) / collector.total(CAPACITY, data_type=kind)


def test_lines_of_a_file_survive_a_killed_collector(start: Start, backend: Backend) -> None:
    collector = start()
    path, count, kills = collector.logs / "killed.log", 6_000, 3
    done = threading.Event()

    def write() -> None:
        with path.open("a", encoding="utf-8", buffering=1) as file:
            for number in range(count):
                line = {"service": "killed", "level": "info", "message": f"line {number}"}
                file.write(json.dumps(line) + "\n")
                if number % 20 == 0:
                    time.sleep(0.01)
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    for part in range(1, kills + 1):
        wanted = part * count // 5
        await_(lambda wanted=wanted: len(_numbers(backend)) > wanted, "some lines arrived")  # type: ignore[misc]
        collector.end(signal.SIGKILL)
        collector.start()
    writer.join()
    await_(
        lambda: len(_numbers(backend)) == count, "every line arrived", instead=lambda: len(_numbers(backend))
    )
    # What is under way when it is killed is sent again, and read again once more: each kill meets one copy more of it.
    assert max(_numbers(backend).values()) <= sum(range(1, kills + 2))


def test_what_was_taken_while_the_back_end_was_away_survives_a_killed_collector(
    start: Start, backend: Backend
) -> None:
    backend.status = 503
    collector = start(OBS_SAMPLING_WAIT="500ms", OBS_SAMPLING_PERCENT="100")
    taken = 0
    for number in range(200):
        body = otlp.logs(otlp.resource("away"), [(f"line {number * 10 + n}", {}) for n in range(10)])
        assert collector.send("logs", body) == 200
        taken += 10
        if number == 100:
            collector.end(signal.SIGKILL)
            collector.start()
    assert collector.send("metrics", otlp.samples(otlp.resource("away"), "away_rows", {}, 1)) == 200
    assert not backend.received.logs
    collector.end(signal.SIGKILL)
    collector.start()
    assert collector.total(QUEUE, data_type="logs") > 0
    backend.release()
    await_(
        lambda: len(_numbers(backend)) == taken, "every line arrived", instead=lambda: len(_numbers(backend))
    )
    await_(lambda: "away_rows" in str(backend.received.metrics), "the sample arrived")


def test_a_full_queue_holds_senders_back_and_shows_in_what_the_alert_asks(
    start: Start, backend: Backend
) -> None:
    backend.status = 503
    collector = start(OBS_QUEUE_LOGS_BYTES="400000")
    taken: set[int] = set()
    numbers = itertools.count()

    def held_back() -> bool:
        # 20 kB each. What is not answered in time is held back, or the machine slow: the collector counts the first.
        for number in itertools.islice(numbers, 20):
            body = otlp.logs(otlp.resource("full"), [(f"line {number} {'x' * 20_000}", {})])
            if collector.send("logs", body, timeout=2.0) != 200:
                break
            taken.add(number)
        return _filled(collector, "logs") > 0.8 and collector.total(REFUSED, receiver="otlp") >= 2

    await_(held_back, "the queue is full and senders are refused", instead=lambda: _filled(collector, "logs"))
    assert len(taken) <= 25
    # A file is its own queue: its lines wait there.
    (collector.logs / "full.log").write_text("line 1000000\n", encoding="utf-8")
    assert collector.is_alive()
    backend.release()
    wanted = taken | {1_000_000}
    await_(
        lambda: wanted <= set(_numbers(backend)),
        "all arrived",
        instead=lambda: wanted - set(_numbers(backend)),
    )
    assert collector.send("logs", otlp.logs(otlp.resource("full"), [("line 2000000", {})])) == 200


@pytest.mark.parametrize("kind", ["traces", "metrics"])
def test_nothing_that_was_taken_before_a_queue_was_full_is_lost(
    start: Start, backend: Backend, kind: str
) -> None:
    backend.status, backend.refuses_spans = 503, grpc.StatusCode.UNAVAILABLE
    collector = start(OBS_SAMPLING_WAIT="200ms", **{f"OBS_QUEUE_{kind.upper()}_BYTES": "400000"})
    of, filling = otlp.resource("full"), {"text": "x" * 20_000}
    taken: set[int] = set()
    numbers = itertools.count()

    def body(number: int) -> bytes:
        if kind == "metrics":
            return otlp.samples(of, "full", filling, number)
        # Not the trace that is all zeros, which is none.
        trace = (number + 1).to_bytes(16, "big")
        return otlp.traces(of, [otlp.span(trace=trace, failed=True, attributes=filling)])

    def held_back() -> bool:
        for number in itertools.islice(numbers, 20):
            if collector.send(kind, body(number), timeout=2.0) != 200:
                return _filled(collector, kind) > 0.8
            taken.add(number)
        return False

    await_(held_back, "the queue is full and a sender waits", instead=lambda: _filled(collector, kind))
    assert collector.is_alive()
    backend.release()

    def lost() -> set[int]:
        if kind == "metrics":
            return taken - {point.as_int for point in backend.received.points()}
        return taken - {int.from_bytes(trace, "big") - 1 for trace in backend.received.trace_ids()}

    await_(lambda: not lost(), "whatever was taken arrived", instead=lambda: f"nothing of {lost()}")
    assert len(taken) > 10
    assert collector.send(kind, body(1_000_000)) == 200


def test_too_little_memory_means_refusal_and_not_death(start: Start, backend: Backend) -> None:
    limits = "processors: {memory_limiter: {check_interval: 100ms, limit_mib: 80, spike_limit_mib: 20}}"
    collector = start(limits, OBS_SAMPLING_WAIT="4s", OBS_SAMPLING_PERCENT="0")
    statuses: Counter[int] = Counter()
    deadline = time.monotonic() + 240
    while not statuses[503] and time.monotonic() < deadline:
        # Many small values take much memory and little time.
        spans = [otlp.span(attributes={f"a{n}": n for n in range(60)}) for _ in range(400)]
        statuses[collector.send("traces", otlp.traces(otlp.resource("memory"), spans))] += 1
    # 503 is what OTLP senders repeat; a machine under load may answer too late.
    assert set(statuses) - {0} == {200, 503}
    assert collector.is_alive()
    assert collector.total(REFUSED_SPANS, receiver="otlp") >= 400
    kept = otlp.span(failed=True)

    def taken() -> bool:
        return collector.send("traces", otlp.traces(otlp.resource("memory"), [kept])) == 200

    await_(taken, "it takes spans again")
    await_(lambda: kept.trace_id in backend.received.trace_ids(), "they arrive")


def test_an_ordered_end_decides_on_the_traces_that_wait(start: Start, backend: Backend) -> None:
    collector = start(OBS_SAMPLING_WAIT="60s", OBS_SAMPLING_PERCENT="0")
    failed = [otlp.span(failed=True) for _ in range(50)]
    assert collector.send("traces", otlp.traces(otlp.resource("ended"), failed)) == 200
    collector.end()
    # What is decided in the end goes through the queue on disk, now or after the next start.
    with running(collector):
        await_(
            lambda: {span.trace_id for span in failed} <= backend.received.trace_ids(),
            "failed traces arrived",
        )
