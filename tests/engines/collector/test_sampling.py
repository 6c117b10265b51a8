"""Which traces are kept, decided late; and what span metrics count, which is all of them."""

from __future__ import annotations

import math
import os
import random
import subprocess
import sys

import pytest
import yaml
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from tests.engines.collector import otlp
from tests.engines.collector.backend import Backend
from tests.engines.collector.conftest import SHARE, SLOW, Pipeline, Start
from tests.engines.waiting import await_

from obs.stack import bundle

pytestmark = pytest.mark.engines

CONFIG = bundle.path("collector", "collector.yml")
LIMIT = "aggregation_cardinality_limit"
CALLS = "traces_span_metrics_calls_total"
DURATION = "traces_span_metrics_duration_seconds"
WAITING = "otelcol_exporter_queue_size"
UNDER_WAY = "otelcol_exporter_in_flight_requests"


def _send(pipeline: Pipeline, service: str, spans: list[Span]) -> set[bytes]:
    assert pipeline.collector.send("traces", otlp.traces(otlp.resource(service), spans)) == 200
    return {span.trace_id for span in spans}


def _settle(pipeline: Pipeline, service: str) -> None:
    """Wait until whatever was sent before is decided: a failed trace that was sent now has arrived."""
    (last,) = _send(pipeline, service, [otlp.span("last", failed=True)])
    await_(lambda: last in pipeline.received.trace_ids(), "the last trace was decided")
    # Several requests are under way at a time.
    await_(
        lambda: (
            not any(pipeline.collector.total(metric, data_type="traces") for metric in (WAITING, UNDER_WAY))
        ),
        "all is sent",
    )


def test_failed_slow_and_marked_traces_are_all_kept(pipeline: Pipeline) -> None:
    failed = _send(pipeline, "kept", [otlp.span(failed=True) for _ in range(300)])
    slow = _send(pipeline, "kept", [otlp.span(seconds=SLOW / 1000 + 0.05) for _ in range(100)])
    marked = _send(pipeline, "kept", [otlp.span(attributes={"obs.exemplar": True}) for _ in range(100)])
    _settle(pipeline, "kept")
    for kept in (failed, slow, marked):
        assert kept <= pipeline.received.trace_ids()


def test_one_failed_span_keeps_all_spans_of_its_trace(pipeline: Pipeline) -> None:
    trace = os.urandom(16)
    spans = [otlp.span(f"step {n}", trace=trace, failed=n == 7) for n in range(10)]
    # They come apart, as from several services.
    for span in spans:
        _send(pipeline, "apart", [span])
    _settle(pipeline, "apart")
    names = {span.name for span in pipeline.received.spans() if span.trace_id == trace}
    assert names == {f"step {n}" for n in range(10)}


def test_of_ordinary_traces_the_configured_share_is_kept_and_red_numbers_are_those_of_all(
    pipeline: Pipeline,
) -> None:
    # Trace ids of a known series: the decision is a hash of the id, so the share is the same in each run.
    count, failed = 3_000, 200
    numbers = random.Random(20261122)
    ids = [numbers.randbytes(16) for _ in range(count)]
    sent = _send(pipeline, "shared", [otlp.span("GET /a", trace=trace, seconds=0.02) for trace in ids])
    errors = _send(pipeline, "shared", [otlp.span("GET /a", failed=True, seconds=0.2) for _ in range(failed)])
    _settle(pipeline, "shared")
    kept = len(sent & pipeline.received.trace_ids())
    # Four standard deviations of the binomial distribution.
    spread = 4 * math.sqrt(count * SHARE / 100 * (1 - SHARE / 100))
    assert abs(kept - count * SHARE / 100) < spread
    assert errors <= pipeline.received.trace_ids()

    def counted(code: str) -> float:
        return pipeline.collector.total(
            CALLS, "span_metrics", service="shared", span_name="GET /a", status_code=code
        )

    await_(lambda: counted("STATUS_CODE_UNSET") == count, "all good calls are counted")
    await_(lambda: counted("STATUS_CODE_ERROR") == failed, "all failed calls are counted")
    labels = {"service": "shared", "span_name": "GET /a"}
    assert pipeline.collector.total(f"{DURATION}_count", "span_metrics", **labels) == count + failed
    total = pipeline.collector.total(f"{DURATION}_sum", "span_metrics", **labels)
    assert total == pytest.approx(count * 0.02 + failed * 0.2)
    assert pipeline.collector.total(f"{DURATION}_bucket", "span_metrics", le="0.1", **labels) == count


def test_spans_that_come_long_after_the_decision_follow_it(start: Start, backend: Backend) -> None:
    # Room for few traces, so that those of before are forgotten but for what was decided.
    collector = start(
        "processors: {tail_sampling: {num_traces: 200}}", OBS_SAMPLING_WAIT="1s", OBS_SAMPLING_PERCENT="0"
    )

    def send(spans: list[Span]) -> set[bytes]:
        assert collector.send("traces", otlp.traces(otlp.resource("late"), spans)) == 200
        return {span.trace_id for span in spans}

    kept = send([otlp.span("first", failed=True) for _ in range(50)])
    dropped = send([otlp.span("first") for _ in range(50)])
    await_(lambda: kept <= backend.received.trace_ids(), "the first traces are decided")
    for _ in range(3):
        send([otlp.span("between") for _ in range(200)])
    # Each of them would be kept for itself; the decision on its trace was another.
    send([otlp.span("second", trace=trace, failed=True) for trace in dropped])
    send([otlp.span("second", trace=trace) for trace in kept])

    def followed() -> bool:
        return {span.trace_id for span in backend.received.spans() if span.name == "second"} >= kept

    await_(followed, "late spans of kept traces arrived")
    last = send([otlp.span("last", failed=True)])
    await_(lambda: last <= backend.received.trace_ids(), "all was decided")
    assert not dropped & backend.received.trace_ids()


def test_span_metrics_say_whose_they_are_by_our_two_labels_alone(pipeline: Pipeline) -> None:
    _send(pipeline, "whose", [otlp.span("GET /b")])
    await_(
        lambda: bool(pipeline.collector.total(CALLS, "span_metrics", service="whose")), "the call is counted"
    )
    samples = pipeline.collector.samples(CALLS, "span_metrics")
    (found,) = [labels for labels, _ in samples if labels["service"] == "whose"]
    assert set(found) == {"service", "environment", "span_name", "span_kind", "status_code"}
    assert found["environment"] == "test"
    told = pipeline.collector.scrape("span_metrics")
    assert "job=" not in told
    assert "instance" not in told
    assert "target_info" not in told
    # A link from here would lead to a trace that sampling may have dropped.
    assert "trace_id" not in told


def test_names_without_end_make_no_series_without_end(start: Start) -> None:
    limit = int(yaml.safe_load(CONFIG.read_text(encoding="utf-8"))["connectors"]["span_metrics"][LIMIT])
    assert limit == 5_000
    collector = start(f"connectors: {{span_metrics: {{{LIMIT}: 100, metrics_flush_interval: 1s}}}}")
    spans = [*(otlp.span(f"GET /{n}") for n in range(300)), *(otlp.span("late comer") for _ in range(10))]
    assert collector.send("traces", otlp.traces(otlp.resource("endless"), spans)) == 200
    # Those beyond the limit are still counted, under one label that says so.
    await_(lambda: collector.total(CALLS, "span_metrics", service="endless") == 310, "every call is counted")
    series = [labels for labels, _ in collector.samples(CALLS, "span_metrics")]
    assert len(series) == 101
    assert any("otel_metric_overflow" in labels for labels in series)


def test_processes_of_one_service_are_counted_together(pipeline: Pipeline) -> None:
    for number in range(5):
        of = otlp.resource("several", {"service.instance.id": f"instance-{number}", "process.pid": number})
        body = otlp.traces(of, [otlp.span("GET /c") for _ in range(10)])
        assert pipeline.collector.send("traces", body) == 200
    await_(
        lambda: pipeline.collector.total(CALLS, "span_metrics", service="several") == 50,
        "all calls are counted",
    )


#: A service of the SDK that observes in many spans and prints the traces that its exemplars point to.
_SERVICE = """
import re, sys, time
import obs
from obs.runtime import endpoints
obs.init("linked", environment="test", otlp_endpoint=sys.argv[1], log_level="error")
took = obs.histogram("linked.took", labels=("kind",), buckets=(0.1, 1))
asked = obs.counter("linked.asked")
for number in range(300):
    with obs.span("work"):
        asked.inc()
        with obs.span("inside"):
            took.observe(number / 200, kind=str(number % 3))
    if number % 100 == 0:
        time.sleep(1.1)
text = endpoints.answer_in_thread("metrics", "application/openmetrics-text", "").body.decode()
print(*set(re.findall(r'trace_id="([0-9a-f]{32})"', text)))
assert obs.flush(20)
"""


def test_no_exemplar_leads_to_a_trace_that_was_dropped(start: Start, backend: Backend) -> None:
    collector = start(OBS_SAMPLING_WAIT="500ms", OBS_SAMPLING_PERCENT="0")
    done = subprocess.run(
        [sys.executable, "-c", _SERVICE, f"http://127.0.0.1:{collector.port('otlp_http')}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    linked = {bytes.fromhex(found) for found in done.stdout.split()}
    assert len(linked) >= 3
    await_(lambda: linked <= backend.received.trace_ids(), "every trace with an exemplar is kept")
    # Whatever else was sent was ordinary.
    assert len(backend.received.trace_ids()) < 100
