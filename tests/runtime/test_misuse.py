"""Calls that cannot mean anything: refused at once in words, or kept from the host and counted."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable
from typing import Any

import pytest

import obs
from obs.catalogue import Counter
from obs.catalogue.jobs import RESULT
from obs.errors import ConfigError, ObsError
from obs.runtime import endpoints, tally

Declare = Callable[[], object]


@pytest.mark.parametrize(
    ("declare", "expected"),
    [
        (lambda: obs.histogram("t.a", buckets=("a",)), "sequence of numbers"),  # type: ignore[arg-type]
        (lambda: obs.histogram("t.a", buckets=5), "sequence of numbers"),  # type: ignore[arg-type]
        (lambda: obs.histogram("t.a", buckets=(math.nan,)), "ascend"),
        (lambda: obs.histogram("t.a", unit="seconds"), "unit='s'"),
        (lambda: obs.histogram("t.a", unit=None), "unit"),  # type: ignore[arg-type]
        (lambda: obs.counter("t.a", labels=5), "sequence of names"),  # type: ignore[arg-type]
        (lambda: obs.counter("t.a", labels=(1,)), "a name or"),  # type: ignore[arg-type]
        (lambda: obs.counter("t.a", 5), "expected text"),  # type: ignore[arg-type]
        (lambda: obs.counter(5), "expected a counter"),  # type: ignore[arg-type]
        (lambda: obs.job(5), "job name"),  # type: ignore[arg-type]
    ],
)
def test_a_declaration_that_cannot_work_is_refused_in_words(declare: Declare, expected: str) -> None:
    with pytest.raises(ConfigError, match=expected):
        declare()


@pytest.mark.parametrize("port", ["abc", None, -1, 70_000, 1.5, [0]])
def test_a_port_that_is_none_is_refused_in_words(port: Any) -> None:
    obs.init("worker")
    with pytest.raises(ObsError, match="cannot serve"):
        obs.serve(port)


@pytest.mark.parametrize("host", [5, ["127.0.0.1"], None])
def test_a_host_that_is_none_is_refused_in_words(host: Any) -> None:
    obs.init("worker")
    with pytest.raises(ObsError, match="cannot serve"):
        obs.serve(0, host)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [("otlp_timeout", 10**400, "a number from"), ("audit_file", "\ud800", "the path of a file")],
    ids=["digits", "surrogate"],
)
def test_a_setting_that_python_itself_chokes_on_is_refused_in_words(
    name: str, value: Any, expected: str
) -> None:
    with pytest.raises(ConfigError, match=expected):
        obs.init("shop", **{name: value})


def test_two_metrics_of_one_family_are_refused_where_the_second_is_declared() -> None:
    obs.gauge("t.orders")
    with pytest.raises(ConfigError, match="already belongs to"):
        obs.counter(Counter("t.placed", "t_orders_total", "Placed."))


def test_an_init_that_fails_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    before = list(logging.root.handlers)
    monkeypatch.setattr("obs.runtime.metrics.backend.Own", 5)
    with pytest.raises(TypeError):
        obs.init("shop")
    assert not obs.status().running
    assert logging.root.handlers == before


@pytest.mark.parametrize("amount", [math.nan, math.inf, "x", -1])
def test_an_amount_that_would_spoil_a_sum_for_ever_is_left_out_and_counted(amount: Any) -> None:
    counter, histogram = obs.counter("t.sum"), obs.histogram("t.spread")
    obs.init("shop")
    counter.inc(2)
    counter.inc(amount)
    histogram.observe(2)
    if amount != -1:
        histogram.observe(amount)
    text = asyncio.run(endpoints.answer("metrics", "", "")).body.decode()
    assert "t_sum_total 2.0" in text
    assert "t_spread_seconds_sum 2.0" in text
    assert tally.count("errors", "metrics") >= 1


def test_labels_may_have_any_name() -> None:
    counter, histogram = obs.counter("t.any", labels=("self",)), obs.histogram("t.time", labels=("self",))
    obs.init("shop")
    counter.bind(self=1).inc()
    with histogram.time(self=1):
        pass
    assert tally.counts("errors") == {}


def test_job_names_that_never_end_are_capped() -> None:
    obs.init("shop", series_cap=10)
    for number in range(40):
        with obs.job(f"import {number}"):
            pass
    text = asyncio.run(endpoints.answer("metrics", "", "")).body.decode()
    runs = [line for line in text.splitlines() if line.startswith("job_runs_total{")]
    assert len(runs) <= 10 + len(RESULT.values)
    assert any('job_name="overflow"' in line for line in runs)
    assert "import 39" not in text


@pytest.mark.parametrize("accept", ["application/openmetrics-text; version=abc", ";;,", "\xff" * 9, "*/*"])
def test_an_accept_header_that_means_nothing_still_gets_metrics(accept: str) -> None:
    obs.init("shop")
    answer = asyncio.run(endpoints.answer("metrics", accept, ""))
    assert (answer.status, b"process_" in answer.body) == (200, True)
