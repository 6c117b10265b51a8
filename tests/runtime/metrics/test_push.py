"""Metrics of processes that are gone before a scrape: sent once, at the end, and never beside a scrape."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from typing import Any

import pytest

import obs
from obs.runtime import endpoints


def series(collector: Any, name: str) -> list[Any]:
    """Return the data points of the metric that came last under `name`."""
    (metric,) = [metric for metric in collector.metrics if metric.name == name]
    return list(getattr(metric, metric.WhichOneof("data")).data_points)


def work(url: str, **settings: Any) -> None:
    obs.init("nightly", otlp_endpoint=url, traces=False, logs=False, **settings)
    obs.counter("test.rows", labels=("table",)).inc(3, table="orders")
    obs.gauge("test.level").set(2.5)
    obs.histogram("test.wait", buckets=(1, 2)).observe(1.5)


def test_a_process_that_nothing_scrapes_pushes_what_it_has(
    collector: Any, attributes: Callable[[Any], dict[str, Any]]
) -> None:
    before = time.time_ns()
    work(collector.url)
    assert obs.shutdown(30)
    (rows,) = series(collector, "test_rows_total")
    assert attributes(rows) == {"table": "orders"}
    assert rows.as_double == 3
    assert before < rows.start_time_unix_nano <= rows.time_unix_nano
    (level,) = series(collector, "test_level")
    assert level.as_double == 2.5
    (wait,) = series(collector, "test_wait_seconds")
    assert (wait.count, wait.sum, list(wait.bucket_counts), list(wait.explicit_bounds)) == (
        1, 1.5, [0, 1, 0], [1, 2],
    )  # fmt: skip
    assert collector.resources[-1]["service.name"] == "nightly"
    assert {"process_start_time_seconds", "obs_errors_total"} <= {metric.name for metric in collector.metrics}


def test_counters_are_cumulative_and_monotonic_and_have_no_unit_to_be_added_to_their_name(
    collector: Any,
) -> None:
    work(collector.url)
    obs.shutdown()
    for metric in collector.metrics:
        assert not metric.unit
        if metric.WhichOneof("data") == "sum":
            assert metric.sum.is_monotonic
            assert metric.sum.aggregation_temporality == 2


def test_an_exemplar_goes_along(collector: Any) -> None:
    obs.init("nightly", metrics_endpoint=f"{collector.url}/v1/metrics", logs=False)
    counter = obs.counter("test.marked")
    with obs.span("work"):
        counter.inc()
        ids = obs.ids()
    obs.shutdown()
    (point,) = series(collector, "test_marked_total")
    assert [mark.trace_id.hex() for mark in point.exemplars] == [ids.trace_id]


@pytest.mark.parametrize("how", ["scraped", "served", "off"])
def test_what_is_scraped_is_not_pushed(collector: Any, how: str) -> None:
    work(collector.url, **({"metrics_push": "off"} if how == "off" else {}))
    if how == "served":
        obs.serve(0)
    if how == "scraped":
        endpoints.answer_in_thread("metrics", "", "")
    assert obs.shutdown(30)
    assert collector.metrics == []


def test_a_setting_makes_it_push_all_the_same(collector: Any) -> None:
    work(collector.url, metrics_push="on")
    endpoints.answer_in_thread("metrics", "", "")
    obs.shutdown()
    assert collector.metrics


def test_another_init_does_not_push(collector: Any) -> None:
    work(collector.url)
    work(collector.url, series_cap=7)
    assert collector.metrics == []


def test_a_refused_push_is_one_line_and_no_error(lines: Callable[[], list[dict[str, Any]]]) -> None:
    obs.init("nightly", otlp_endpoint="http://127.0.0.1:9", traces=False)
    started = time.monotonic()
    assert not obs.shutdown()
    assert time.monotonic() - started < 3
    said = [line for line in lines() if line["level"] == "warning"]
    assert [line["message"] for line in said] == ["metrics were not delivered at exit: connection refused"]


def test_a_silent_collector_holds_up_the_end_no_longer_than_the_deadline(collector: Any) -> None:
    from obs.runtime.otel import push  # noqa: F401 - loading it is not what is looked at

    collector.behaviour = type(collector.behaviour)(fault="silent")
    work(collector.url, shutdown_timeout=0.5)
    started = time.monotonic()
    assert not obs.shutdown()
    assert time.monotonic() - started < 3


def test_a_script_pushes_at_its_end_for_itself_and_its_children(collector: Any) -> None:
    script = """
    import multiprocessing, sys, obs
    def work(): obs.counter("test.rows").inc(2)
    obs.init("nightly", otlp_endpoint=sys.argv[1], logs=False)
    obs.counter("test.rows").inc()
    child = multiprocessing.get_context("fork").Process(target=work)
    child.start()
    child.join()
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), collector.url],
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (rows,) = series(collector, "test_rows_total")
    assert rows.as_double == 3


@pytest.mark.parametrize("scraped", [True, False])
def test_a_parent_does_not_push_what_was_scraped_from_a_child(collector: Any, scraped: bool) -> None:
    script = """
    import os, sys, obs
    from obs.runtime import endpoints
    obs.init("shop", otlp_endpoint=sys.argv[1], logs=False)
    if os.fork() == 0:
        obs.counter("test.rows").inc()
        if sys.argv[2] == "True":
            endpoints.answer_in_thread("metrics", "", "")
        os._exit(0)
    os.wait()
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), collector.url, str(scraped)],
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert bool(collector.metrics) is not scraped
