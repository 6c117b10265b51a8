"""What Loki would refuse for good is cut, dated or named by the collector before it is sent."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import pytest
from tests.engines.collector import otlp
from tests.engines.collector.conftest import Pipeline
from tests.engines.waiting import await_

pytestmark = pytest.mark.engines

DAY = 86_400.0
FAILED = "otelcol_exporter_send_failed_log_records_total"
#: Service -> a line that Loki refuses, or would refuse, as it is.
OVERSIZED: Mapping[str, tuple[Any, Mapping[str, Any]]] = {
    "long-line": ("ä" * 140_000, {}),
    "long-attribute": ("m", {"exception.stacktrace": "frame\n" * 15_000, "event": "kept"}),
    "long-attributes": ("m", {**{f"a{n}": "x" * 2_500 for n in range(40)}, "event": "kept"}),
    "many-attributes": ("m", {**{f"a{n}": "x" for n in range(200)}, "event": "kept"}),
    "long-and-many": ("y" * 270_000, {**{f"a{n}": "ü" * 1_000 for n in range(150)}, "event": "kept"}),
    "long-names": ("m", {**{f"a{n}" * 1_000: "x" for n in range(50)}, "event": "kept"}),
    "deep": ("m", {"tree": {f"k{n}": ["z" * 500] * 5 for n in range(60)}, "event": "kept"}),
    "quoted": ("m", {"text": '"\\\n' * 9_000, "event": "kept"}),
    "body-of-parts": ({f"k{n}": "z" * 5_000 for n in range(60)}, {}),
}


def _lines(pipeline: Pipeline, service: str, count: int = 1) -> list[tuple[dict[str, str], str]]:
    query = f'{{service="{service}"}}'
    await_(
        lambda: len(pipeline.lines(query)) == count,
        f"{count} lines of {service} are in Loki",
        instead=lambda: len(pipeline.lines(query)),
    )
    return pipeline.lines(query)


def test_oversized_lines_are_cut_and_none_is_refused(pipeline: Pipeline) -> None:
    for service, line in OVERSIZED.items():
        body = otlp.logs(
            otlp.resource(
                service, {"process.command_line": "c" * 20_000, **{f"r{n}": "x" for n in range(90)}}
            ),
            [line],
        )
        assert pipeline.collector.send("logs", body) == 200
    for service, (_, attributes) in OVERSIZED.items():
        ((fields, text),) = _lines(pipeline, service)
        metadata = {name: found for name, found in fields.items() if name not in ("service", "environment")}
        assert sum(len(name.encode()) + len(found.encode()) for name, found in metadata.items()) <= 65_536
        assert len(metadata) <= 128
        assert len(text.encode()) <= 262_144
        assert fields["truncated"] == "true"
        if "event" in attributes:
            assert fields["event"] == "kept"
    assert pipeline.collector.total(FAILED) == 0


def test_a_line_just_within_the_limits_stays_whole(pipeline: Pipeline) -> None:
    text, stack = "m" * 199_000, "frame\n" * 2_000
    body = otlp.logs(otlp.resource("fits"), [(text, {"exception.stacktrace": stack})])
    assert pipeline.collector.send("logs", body) == 200
    ((fields, found),) = _lines(pipeline, "fits")
    assert found == text
    assert fields["exception"] == stack
    assert "truncated" not in fields


@pytest.mark.parametrize(("service", "days"), [("week-old", -8), ("tomorrows", 1), ("undated", None)])
def test_a_line_with_a_wrong_date_is_kept_with_the_moment_of_its_arrival(
    pipeline: Pipeline, service: str, days: float | None
) -> None:
    at = 0.0 if days is None else time.time() + days * DAY
    assert pipeline.collector.send("logs", otlp.logs(otlp.resource(service), [("late", {})], at=at)) == 200
    ((fields, _),) = _lines(pipeline, service)
    if days is not None:
        assert fields["timestamp"].startswith(time.strftime("%Y-%m-%dT%H:%M", time.gmtime(at)))
    assert pipeline.collector.total(FAILED) == 0


def test_a_line_of_nobody_is_kept_as_one_of_unknown(pipeline: Pipeline) -> None:
    assert pipeline.collector.send("logs", otlp.logs({}, [("whose?", {})])) == 200
    assert pipeline.collector.send("logs", otlp.logs({"service.name": ""}, [("whose then?", {})])) == 200
    found = _lines(pipeline, "unknown", 2)
    assert {fields["environment"] for fields, _ in found} == {"local"}


def test_loki_indexes_service_and_environment_alone(pipeline: Pipeline) -> None:
    body = otlp.logs(otlp.resource("indexed", {"k8s.pod.name": "pod-1"}), [("m", {"level": "info"})])
    assert pipeline.collector.send("logs", body) == 200
    ((fields, _),) = _lines(pipeline, "indexed")
    assert fields["k8s_pod_name"] == "pod-1"
    assert pipeline.labels() == {"service", "environment"}
