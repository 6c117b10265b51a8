"""Metrics: handles that bind at init, a cap on series, exemplars, and a scrape that parses."""

from __future__ import annotations

import asyncio
import gzip
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from prometheus_client import REGISTRY, Metric
from prometheus_client import Counter as HostCounter
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

import obs
from obs.catalogue import DIALECTS, Dialect, Label, bundled
from obs.catalogue import Counter as CounterSignal
from obs.errors import ConfigError
from obs.runtime import endpoints, tally

# Untyped in prometheus_client.
parse_openmetrics: Any = openmetrics.text_string_to_metric_families
OPENMETRICS = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"


@pytest.fixture
def host_counter() -> Iterator[HostCounter]:
    counter = HostCounter("host_things", "Counted by the host.")
    yield counter
    REGISTRY.unregister(counter)


def scrape(accept: str = OPENMETRICS) -> str:
    answer = asyncio.run(endpoints.answer("metrics", accept, ""))
    assert answer.status == 200
    return answer.body.decode()


def families() -> dict[str, Metric]:
    return {family.name: family for family in parse_openmetrics(scrape())}


def value(name: str, **labels: str) -> float | None:
    for family in parse_openmetrics(scrape()):
        for sample in family.samples:
            if sample.name == name and sample.labels == labels:
                return float(sample.value)
    return None


def test_a_handle_made_before_init_is_inert_and_counts_from_init_on() -> None:
    early = obs.counter("test.early", "Early.")
    early.inc()
    obs.init("shop")
    assert value("test_early_total") == 0
    early.inc(2)
    assert value("test_early_total") == 2


def test_a_handle_binds_again_after_a_second_init() -> None:
    handle = obs.counter("test.again", "Again.")
    obs.init("shop")
    handle.inc()
    obs.shutdown()
    handle.inc()
    obs.init("shop")
    handle.inc()
    assert value("test_again_total") == 1


def test_the_three_kinds_measure() -> None:
    obs.init("shop")
    obs.counter("test.baskets", labels=("result",)).inc(3, result="sold")
    level = obs.gauge("test.level")
    level.set(5)
    level.inc()
    level.dec(2)
    obs.histogram("test.wait", buckets=(0.1, 1)).observe(0.5)
    assert value("test_baskets_total", result="sold") == 3
    assert value("test_level") == 4
    assert value("test_wait_seconds_bucket", le="0.1") == 0
    assert value("test_wait_seconds_bucket", le="1.0") == 1


def test_a_bound_counter_keeps_its_labels() -> None:
    obs.init("shop")
    obs.counter("test.bound", labels=("a", "b")).bind(a="1", b="2").inc(4)
    assert value("test_bound_total", a="1", b="2") == 4


def test_a_timed_block_is_observed_even_when_it_raises() -> None:
    obs.init("shop")
    with pytest.raises(ValueError, match="x"), obs.histogram("test.timed").time():
        raise ValueError("x")
    assert value("test_timed_seconds_count") == 1


def test_a_tracked_gauge_is_read_at_each_scrape_and_may_fail() -> None:
    obs.gauge("test.queue").track(lambda: 7)
    obs.gauge("test.broken").track(lambda: 1 / 0)
    obs.init("shop")
    assert value("test_queue") == 7
    text = scrape()
    assert "test_broken NaN" in text
    assert tally.count("errors", "metrics") >= 1


@pytest.mark.parametrize("labels", [{}, {"wrong": "x"}, {"a": "1", "extra": "2"}])
def test_a_wrong_label_is_counted_not_raised(labels: dict[str, str]) -> None:
    obs.init("shop")
    obs.counter("test.strict", labels=("a",)).inc(**labels)
    assert value("obs_errors_total", component="metrics") == 1


def test_a_negative_amount_is_counted_not_raised() -> None:
    obs.init("shop")
    obs.counter("test.negative").inc(-1)
    assert tally.count("errors", "metrics") == 1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: obs.counter("Bad-Name"), "lower-case words"),
        (lambda: obs.counter("test.bad", labels=("service",)), "belongs to the target"),
        (lambda: obs.counter("test.bad", labels="abc"), "expected a sequence of names"),
        (lambda: obs.histogram("test.bad", buckets=(2, 1)), "ascend"),
        (lambda: obs.counter(bundled().find("job.active")), "expected a counter"),  # type: ignore[arg-type]
    ],
)
def test_a_declaration_that_cannot_work_is_refused(make: object, message: str) -> None:
    assert callable(make)
    with pytest.raises(ConfigError, match=message):
        make()


def test_the_same_signal_twice_is_one_handle_and_a_different_one_is_refused() -> None:
    first = obs.counter("test.twice", "Twice.")
    assert obs.counter("test.twice", "Twice.") is first
    with pytest.raises(ConfigError, match="declared twice"):
        obs.counter("test.twice", "Something else.")


def test_beyond_the_cap_only_unbounded_labels_overflow() -> None:
    obs.init("shop", series_cap=3)
    handle = obs.counter(
        CounterSignal(
            "test.capped", "test_capped_total", "Capped.",
            labels=(Label("method"), Label("user", bounded=False)),
        )
    )  # fmt: skip
    for number in range(10):
        handle.inc(method="GET", user=str(number))
    assert value("test_capped_total", method="GET", user="2") == 1
    assert value("test_capped_total", method="GET", user="3") is None
    assert value("test_capped_total", method="GET", user="overflow") == 7
    assert value("obs_series_overflow_total", metric="test_capped_total") == 7


def test_series_of_closed_labels_exist_before_their_first_event() -> None:
    obs.counter(
        CounterSignal("test.closed", "test_closed_total", "C.", labels=(Label("r", values=("a", "b")),))
    )
    obs.init("shop")
    assert value("test_closed_total", r="a") == 0
    assert value("test_closed_total", r="b") == 0


def test_a_counter_carries_the_current_trace_as_exemplar() -> None:
    obs.init("shop")
    handle = obs.counter("test.exemplary")
    with obs.span("work"):
        handle.inc()
        ids = obs.ids()
    (total,) = [s for s in families()["test_exemplary"].samples if s.name.endswith("_total")]
    assert total.exemplar is not None
    assert total.exemplar.labels == {"trace_id": ids.trace_id, "span_id": ids.span_id}


def test_an_unsampled_trace_is_no_exemplar() -> None:
    obs.init("shop", traces_ratio=0.0)
    handle = obs.histogram("test.unsampled")
    with obs.span("work"):
        handle.observe(1)
    assert all(sample.exemplar is None for sample in families()["test_unsampled_seconds"].samples)


def test_created_is_written_in_openmetrics_and_not_as_series_of_the_text_format(
    host_counter: HostCounter,
) -> None:
    obs.init("shop")
    obs.counter("test.born").inc()
    assert "test_born_created" in scrape()
    assert "log_records_created" in scrape()
    assert "_created" not in scrape("text/plain;version=0.0.4")


def test_the_text_format_is_the_default_and_parses() -> None:
    obs.init("shop")
    answer = asyncio.run(endpoints.answer("metrics", "*/*", ""))
    assert dict(answer.headers)["content-type"].startswith("text/plain; version=0.0.4")
    assert {family.name for family in parse_text(answer.body.decode())} >= {"obs_build_info", "log_records"}


def test_gzip_is_used_when_allowed() -> None:
    obs.init("shop")
    answer = asyncio.run(endpoints.answer("metrics", OPENMETRICS, "deflate, gzip;q=1.0"))
    assert dict(answer.headers)["content-encoding"] == "gzip"
    assert gzip.decompress(answer.body).endswith(b"# EOF\n")
    refused = asyncio.run(endpoints.answer("metrics", OPENMETRICS, "gzip;q=0"))
    assert "content-encoding" not in dict(refused.headers)


def test_the_host_registry_is_served_as_well(host_counter: HostCounter) -> None:
    obs.init("shop")
    host_counter.inc(3)
    assert value("host_things_total") == 3
    assert value("python_info") is None
    assert "python_info{" in scrape()


def test_a_collector_of_the_host_that_fails_does_not_cost_our_scrape() -> None:
    class Broken:
        def describe(self) -> list[Metric]:
            return []

        def collect(self) -> list[Metric]:
            raise RuntimeError("broken")

    broken = Broken()
    REGISTRY.register(broken)
    try:
        obs.init("shop")
        assert value("obs_build_info", version="", sdk_version=obs.__version__) == 1
        assert tally.count("errors", "metrics") >= 1
    finally:
        REGISTRY.unregister(broken)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_no_metric_name_is_written_twice(dialect: Dialect) -> None:
    obs.init("shop", dialect=dialect)
    names = [line.split()[2] for line in scrape().splitlines() if line.startswith("# TYPE")]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_process_and_self_signal_of_the_catalogue_is_emitted(dialect: Dialect) -> None:
    obs.init("shop", dialect=dialect)
    written = {line.split()[2] for line in scrape("").splitlines() if line.startswith("# TYPE")}
    for signal in bundled():
        if signal.id.startswith(("process.", "obs.", "log.")):
            assert signal.named(dialect) in written, signal.id


def test_the_classic_dialect_uses_its_own_names_and_labels() -> None:
    obs.init("shop", dialect="classic")
    assert value("process_cpu_seconds_total", mode="user") is not None
    assert value("log_messages_total", level="info") is not None


def test_with_metrics_off_handles_are_inert_and_the_endpoint_says_so() -> None:
    obs.init("shop", metrics=False)
    obs.counter("test.off").inc()
    assert asyncio.run(endpoints.answer("metrics", "", "")).status == 404


def test_counting_from_many_threads_loses_nothing() -> None:
    obs.init("shop")
    handle = obs.counter("test.threads", labels=("n",))

    def work() -> None:
        for number in range(500):
            handle.inc(n=str(number % 5))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(value("test_threads_total", n=str(number)) or 0 for number in range(5)) == 4_000
