"""Jobs: counted, timed, traced, logged; their errors belong to the host."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
from prometheus_client.openmetrics import parser

import obs
from obs.errors import ConfigError
from obs.runtime import endpoints

Lines = Callable[[], list[dict[str, Any]]]
# Untyped in prometheus_client.
parse: Any = parser.text_string_to_metric_families


def value(name: str, **labels: str) -> float | None:
    answer = asyncio.run(endpoints.answer("metrics", "application/openmetrics-text;version=1.0.0", ""))
    for family in parse(answer.body.decode()):
        for sample in family.samples:
            if sample.name == name and sample.labels == labels:
                return float(sample.value)
    return None


def test_a_run_is_counted_timed_and_its_success_remembered() -> None:
    obs.init("worker")
    before = time.time()
    with obs.job("settle") as run:
        run.set(orders=3)
        assert value("job_active_runs", job_name="settle") == 1
    assert value("job_runs_total", job_name="settle", result="success") == 1
    assert value("job_runs_total", job_name="settle", result="failure") == 0
    assert value("job_duration_seconds_count", job_name="settle", result="success") == 1
    assert value("job_active_runs", job_name="settle") == 0
    last = value("job_last_success_timestamp_seconds", job_name="settle")
    assert last is not None
    assert before <= last <= time.time()


def test_a_failure_is_counted_logged_with_its_stack_and_passes(lines: Lines) -> None:
    obs.init("worker")
    with pytest.raises(ValueError, match="no funds"), obs.job("settle"):
        raise ValueError("no funds")
    assert value("job_runs_total", job_name="settle", result="failure") == 1
    assert value("job_last_success_timestamp_seconds", job_name="settle") is None
    (line,) = lines()
    assert (line["level"], line["message"], line["job"]) == ("error", "job failed", "settle")
    assert "no funds" in line["exception"]
    assert line["trace_id"]


def test_a_decorated_job_runs_each_call_plain_or_asynchronous() -> None:
    obs.init("worker")

    @obs.job("plain")
    def plain(number: int) -> int:
        return number + 1

    @obs.job("later")
    async def later() -> str:
        return "done"

    async def block() -> None:
        async with obs.job("block"):
            pass

    assert plain(1) == 2
    assert asyncio.run(later()) == "done"
    asyncio.run(block())
    for name in ("plain", "later", "block"):
        assert value("job_runs_total", job_name=name, result="success") == 1


def test_both_results_exist_before_the_first_run_also_of_a_job_declared_before_init() -> None:
    obs.job("declared")
    obs.init("worker")
    assert value("job_runs_total", job_name="declared", result="failure") == 0


def test_a_job_is_a_span(collector: Any) -> None:
    obs.init("worker", otlp_endpoint=collector.url)
    with obs.job("settle"):
        pass
    assert obs.flush(5)
    assert collector.names() == ["job settle"]


def test_a_job_before_init_just_runs() -> None:
    with obs.job("early"):
        pass


def test_a_job_without_a_name_is_refused() -> None:
    with pytest.raises(ConfigError):
        obs.job("")
