"""Jobs: counted, timed, traced, logged; their errors belong to the host."""

from __future__ import annotations

import asyncio

import pytest

import obs
from obs.errors import ConfigError
from obs.testing import Telemetry


def test_a_run_is_counted_timed_and_its_success_remembered(telemetry: Telemetry) -> None:
    with obs.job("settle") as run:
        run.set(orders=3)
        telemetry.clock.tick(2.5)
        assert telemetry.value("job.active", job_name="settle") == 1
    telemetry.assert_counted("job.runs", 1, job_name="settle", result="success")
    telemetry.assert_counted("job.runs", 0, job_name="settle", result="failure")
    duration = telemetry.distribution("job.duration", job_name="settle", result="success")
    assert (duration.count, duration.sum) == (1, 2.5)
    assert telemetry.value("job.active", job_name="settle") == 0
    assert telemetry.value("job.last_success", job_name="settle") == telemetry.clock.now()


def test_a_failure_is_counted_logged_with_its_stack_and_passes(telemetry: Telemetry) -> None:
    with pytest.raises(ValueError, match="no funds"), obs.job("settle"):
        raise ValueError("no funds")
    telemetry.assert_counted("job.runs", 1, job_name="settle", result="failure")
    with pytest.raises(AssertionError, match="no series matches"):
        telemetry.value("job.last_success", job_name="settle")
    span = telemetry.assert_span("job settle", {"error.type": "ValueError"}, status="error")
    (line,) = telemetry.logs
    assert telemetry.assert_logged("job failed", level="error", job="settle", span_id=span.span_id) is line
    assert "no funds" in line["exception"]
    telemetry.assert_error(ValueError, mechanism="job", span_id=span.span_id)


def test_a_decorated_job_runs_each_call_plain_or_asynchronous(telemetry: Telemetry) -> None:
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
        telemetry.assert_counted("job.runs", 1, job_name=name, result="success")


def test_both_results_exist_before_the_first_run_also_of_a_job_declared_before_init(
    telemetry: Telemetry,
) -> None:
    obs.shutdown()
    obs.job("declared")
    obs.init("worker")
    zero = {"job_name": "declared", "result": "failure"}
    assert [item.value for item in telemetry.metrics if item.labels == zero and "total" in item.name] == [0]


def test_a_job_is_a_span(telemetry: Telemetry) -> None:
    with obs.job("settle") as run:
        run.set(orders=3)
    telemetry.assert_span("job settle", {"job.name": "settle"}, orders=3, kind="internal", status="unset")


def test_a_job_before_init_just_runs() -> None:
    with obs.job("early"):
        pass


def test_a_job_without_a_name_is_refused() -> None:
    with pytest.raises(ConfigError):
        obs.job("")
