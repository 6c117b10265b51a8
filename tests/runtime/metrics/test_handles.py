"""Handles: found quickly and never wrongly, values that fit their labels, amounts that can be added."""

from __future__ import annotations

import asyncio
import enum
import importlib.util
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import generate_latest
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

import obs
from obs.catalogue import Counter as CounterSignal
from obs.catalogue import Label
from obs.runtime import endpoints, tally
from obs.runtime.metrics import series

# Untyped in prometheus_client.
parse_openmetrics: Any = openmetrics.text_string_to_metric_families


def scrape(accept: str = "application/openmetrics-text") -> str:
    return asyncio.run(endpoints.answer("metrics", accept, "")).body.decode()


def families() -> dict[str, Any]:
    return {family.name: family for family in parse_openmetrics(scrape())}


def value(name: str, **labels: str) -> float | None:
    for family in families().values():
        for sample in family.samples:
            if sample.name == name and sample.labels == labels:
                return float(sample.value)
    return None


def test_a_bound_handle_of_each_kind_follows_its_signal_through_every_init() -> None:
    counter = obs.counter("test.bc", labels=("k",)).bind(k="a")
    gauge = obs.gauge("test.bg").bind()
    histogram = obs.histogram("test.bh").bind()
    for _ in range(2):
        counter.inc()
        obs.init("shop")
        counter.inc()
        counter.inc(2)
        gauge.set(4)
        gauge.inc()
        gauge.dec(2)
        histogram.observe(0.5)
        with histogram.time():
            pass
        assert value("test_bc_total", k="a") == 3
        assert value("test_bg") == 3
        assert value("test_bh_seconds_count") == 2
        obs.shutdown()


def test_a_bound_handle_with_wrong_labels_is_counted_at_each_use() -> None:
    obs.init("shop")
    bound = obs.counter("test.bw", labels=("k",)).bind(other="a")
    bound.inc()
    bound.inc()
    assert tally.count("errors", "metrics") == 2


class Colour(str, enum.Enum):
    RED = "red"


@pytest.mark.parametrize("first", [0, 1, 2, 3])
def test_values_that_are_equal_but_read_differently_are_different_series(first: int) -> None:
    obs.init("shop")
    handle = obs.counter("test.equal", labels=("k",))
    given: list[Any] = [1, True, 1.0, "1"]
    for k in given[first:] + given[:first]:
        handle.inc(k=k)
    assert value("test_equal_total", k="1") == 2
    assert value("test_equal_total", k="True") == 1
    assert value("test_equal_total", k="1.0") == 1


def test_an_enumeration_of_text_counts_as_its_value_before_and_after_the_text() -> None:
    obs.init("shop")
    handle = obs.counter("test.enum", labels=("k",))
    for k in (Colour.RED, "red", Colour.RED):
        handle.inc(k=k)
    assert value("test_enum_total", k="red") == 3


def test_labels_may_come_in_any_order_and_a_missing_or_extra_one_is_refused_every_time() -> None:
    obs.init("shop")
    handle = obs.counter("test.order", labels=("a", "b"))
    handle.inc(a="1", b="2")
    handle.inc(b="2", a="1")
    handle.inc(a="1")
    handle.inc(a="1", b="2", c="3")
    assert value("test_order_total", a="1", b="2") == 2
    assert tally.count("errors", "metrics") == 2


@pytest.mark.parametrize("amount", [float("nan"), float("inf"), -1, "2", None])
def test_an_amount_that_is_no_addition_leaves_a_counter_as_it_was(amount: Any) -> None:
    obs.init("shop")
    handle = obs.counter("test.amount")
    handle.inc()
    handle.bind().inc(amount)
    handle.inc(amount)
    assert value("test_amount_total") == 1
    assert tally.count("errors", "metrics") == 2


@pytest.mark.parametrize("seconds", [float("nan"), float("inf"), "2", None])
def test_an_observation_that_is_no_finite_number_is_refused(seconds: Any) -> None:
    obs.init("shop")
    handle = obs.histogram("test.seconds")
    handle.observe(seconds)
    assert value("test_seconds_count") == 0
    assert tally.count("errors", "metrics") == 1


def closed(*values: str) -> CounterSignal:
    return CounterSignal("test.strict", "test_strict_total", "S.", labels=(Label("r", values=values),))


def test_a_value_that_a_closed_label_does_not_declare_is_overflow_and_counted() -> None:
    obs.init("shop")
    handle = obs.counter(closed("a", "b"))
    for r in ("a", "x", "y", "x"):
        handle.inc(r=r)
    assert value("test_strict_total", r="a") == 1
    assert value("test_strict_total", r="x") is None
    assert value("test_strict_total", r="overflow") == 3
    assert value("obs_series_overflow_total", metric="test_strict_total") == 3


def test_a_closed_label_that_declares_a_value_for_all_others_uses_it() -> None:
    obs.init("shop")
    obs.counter(closed("a", "_OTHER")).inc(r="x")
    assert value("test_strict_total", r="_OTHER") == 1


def test_a_metric_that_overflows_says_so_in_one_line(lines: Any) -> None:
    obs.init("shop", series_cap=1)
    handle = obs.counter("test.full", labels=("user",))
    for number in range(5):
        handle.inc(user=str(number))
    # Jobs that other tests have prepared may overflow as well.
    said = [line for line in lines() if line.get("metric") == "test_full_total"]
    assert [line["level"] for line in said] == ["warning"]
    assert "reached its cap of 1 series" in said[0]["message"]


@pytest.mark.parametrize("raw", ["\ud800", "x" * 10_000, 'a"b\\c\nd'])
def test_any_label_value_can_be_scraped(raw: str) -> None:
    obs.init("shop")
    obs.counter("test.raw", labels=("k",)).inc(k=raw)
    (family,) = [family for family in parse_text(scrape("text/plain")) if family.name == "test_raw"]
    (sample,) = family.samples
    assert len(sample.labels["k"]) <= 256
    if raw.startswith("a"):
        assert sample.labels["k"] == raw


def test_one_exemplar_a_second_and_bucket_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    assert series.EXEMPLAR_INTERVAL == 1.0
    # A second may pass between two lines of a test.
    monkeypatch.setattr(series, "EXEMPLAR_INTERVAL", 3600.0)
    obs.init("shop")
    handle = obs.histogram("test.rate", buckets=(1,))
    traces = []
    for seconds in (0.5, 0.5, 5):
        with obs.span("work"):
            handle.observe(seconds)
            traces.append(obs.ids().trace_id)
    shown = [
        sample.exemplar.labels["trace_id"]
        for sample in families()["test_rate_seconds"].samples
        if sample.exemplar is not None
    ]
    assert shown == [traces[0], traces[2]]


def test_a_host_module_that_is_loaded_again_keeps_its_handles(tmp_path: Path) -> None:
    (tmp_path / "hosted.py").write_text(
        "import obs\ncounter = obs.counter('test.hosted', 'Hosted.', labels=('k',))\n"
        "tracked = obs.gauge('test.tracked')\ntracked.track(lambda: 1)\n"
    )
    spec = importlib.util.spec_from_file_location("hosted", tmp_path / "hosted.py")
    assert spec is not None
    assert spec.loader is not None
    obs.init("shop")
    for _ in range(2):
        hosted = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(hosted)
        hosted.counter.inc(k="a")
    assert value("test_hosted_total", k="a") == 2
    assert value("test_tracked") == 1
    assert tally.count("errors", "metrics") == 0


def test_a_value_can_be_read_by_signal_and_labels_without_a_scrape() -> None:
    obs.init("shop")
    obs.counter("test.read", labels=("a.b",)).inc(3, a_b="x")
    obs.histogram("test.waited", buckets=(1, 2)).observe(1.5)
    kept = endpoints._metrics
    assert kept is not None
    assert kept.value("test.read", {"a.b": "x"}) == kept.value("test.read", {"a_b": "x"}) == 3
    assert kept.value("test.read", {"a.b": "y"}) is None
    assert kept.value("test.read") is None
    assert kept.value("test.nothing") is None
    reading = kept.read("test.waited")
    assert reading is not None
    assert (reading.value, reading.sum, reading.buckets) == (1, 1.5, (0, 1, 0))


def test_the_hosts_own_tools_can_collect_our_registry() -> None:
    obs.init("shop")
    obs.counter("test.stock", labels=("k",)).inc(k="a")
    kept = endpoints._metrics
    assert kept is not None
    text = generate_latest(kept.registry).decode()
    assert 'test_stock_total{k="a"} 1.0' in text
    assert "obs_build_info" in text
