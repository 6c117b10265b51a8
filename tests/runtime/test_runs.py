"""Runs of jobs in every shape: beating, nested, as a generator, in threads, left by what is no error."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from prometheus_client.openmetrics import parser

import obs
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


def test_a_job_beats_while_it_runs_and_by_hand() -> None:
    obs.init("worker")
    before = time.time()
    with obs.job("settle", heartbeat=3600):
        first = value("job_heartbeat_timestamp_seconds", job_name="settle")
    with obs.job("import") as run:
        assert value("job_heartbeat_timestamp_seconds", job_name="import") is None
        run.beat()
    second = value("job_heartbeat_timestamp_seconds", job_name="import")
    assert first is not None
    assert second is not None
    assert before <= first <= second <= time.time()


def test_a_failure_of_a_job_inside_a_job_is_reported_once(lines: Lines) -> None:
    obs.init("worker")
    with pytest.raises(ValueError, match="no funds"), obs.job("outer"), obs.job("inner"):
        raise ValueError("no funds")
    (line,) = lines()
    assert line["job"] == "inner"
    assert value("exceptions_unhandled_total", mechanism="job") == 1
    for name in ("outer", "inner"):
        assert value("job_runs_total", job_name=name, result="failure") == 1


def test_a_generator_is_one_run_from_its_first_step_to_its_last() -> None:
    obs.init("worker")

    @obs.job("export")
    def export() -> Generator[int, None, None]:
        yield 1
        yield 2

    steps = export()
    assert next(steps) == 1
    assert value("job_active_runs", job_name="export") == 1
    assert obs.ids().span_id == ""
    assert list(steps) == [2]
    assert value("job_runs_total", job_name="export", result="success") == 1
    next(given_up := export())
    given_up.close()
    assert value("job_runs_total", job_name="export", result="success") == 2


def test_jobs_of_several_threads_are_runs_of_their_own() -> None:
    obs.init("worker")
    both = threading.Barrier(2, timeout=10)

    @obs.job("settle")
    def settle() -> None:
        both.wait()
        assert value("job_active_runs", job_name="settle") == 2
        both.wait()

    with ThreadPoolExecutor(2) as pool:
        for run in [pool.submit(settle) for _ in range(2)]:
            run.result()
    assert value("job_runs_total", job_name="settle", result="success") == 2


@pytest.mark.parametrize(("error", "result"), [(SystemExit(0), "success"), (KeyboardInterrupt(), "failure")])
def test_what_somebody_wanted_is_no_exception_to_report(
    error: BaseException, result: str, lines: Lines
) -> None:
    obs.init("worker")
    with pytest.raises(type(error)), obs.job("settle"):
        raise error
    assert value("job_runs_total", job_name="settle", result=result) == 1
    assert value("exceptions_unhandled_total", mechanism="job") == 0
    assert [line["level"] for line in lines()] == (["warning"] if result == "failure" else [])
