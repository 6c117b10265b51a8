"""The names in the catalogue are legal, unique, and what the conventions prescribe."""

from __future__ import annotations

import pytest

from obs.catalogue import DIALECTS, Counter, Gauge, Histogram, Label, Registry, Signal, bundled
from obs.catalogue.naming import check_signal, prometheus_name
from obs.catalogue.signal import TARGET_LABELS
from obs.errors import ConfigError

#: OpenTelemetry semantic-convention name -> our id, for every signal that has one.
CONVENTIONS = {
    "http.server.request.duration": "http.server.duration",
    "http.server.active_requests": "http.server.active",
    "http.client.request.duration": "http.client.duration",
    "rpc.server.call.duration": "rpc.server.duration",
    "rpc.client.call.duration": "rpc.client.duration",
    "db.client.operation.duration": "db.client.duration",
    "db.client.connection.max": "db.connections.max",
    "db.client.connection.pending_requests": "db.connections.waiting",
    "db.client.connection.timeouts": "db.connections.timeouts",
    "messaging.process.duration": "messaging.process.duration",
    "process.cpu.time": "process.cpu.time",
    "process.memory.usage": "process.memory.usage",
}


@pytest.mark.parametrize(("convention", "id_"), CONVENTIONS.items())
def test_otel_name_is_the_convention_in_prometheus_form(convention: str, id_: str) -> None:
    signal = bundled().find(id_)

    assert signal.metric == prometheus_name(convention, signal)


def test_every_bundled_signal_is_legal() -> None:
    for signal in bundled():
        check_signal(signal)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_no_signal_uses_a_target_label(dialect: str) -> None:
    used = {
        name
        for signal in bundled()
        for name in signal.label_names("otel" if dialect == "otel" else "classic")
    }

    assert used.isdisjoint(TARGET_LABELS)


def test_the_classic_dialect_speaks_our_first_users_names() -> None:
    names = {signal.named("classic") for signal in bundled()}

    assert {
        "http_requests_total", "http_request_duration_seconds", "db_query_duration_seconds",
        "db_connections_in_use", "db_connections_max", "circuit_breaker_state",
        "redis_cache_hits_total", "redis_cache_misses_total", "up",
    } <= names  # fmt: skip


def test_a_ratio_gauge_gets_its_suffix() -> None:
    gauge = Gauge(id="pool.used", metric="pool_used_ratio", help="x", unit="1")

    assert prometheus_name("pool.used", gauge) == "pool_used_ratio"


BAD: dict[str, tuple[Signal, str]] = {
    "id with capitals": (Counter(id="Shop.orders", metric="orders_total", help=""), "lower-case words"),
    "name with a dash": (Counter(id="orders", metric="orders-total", help=""), "is no metric name"),
    "counter without _total": (Counter(id="orders", metric="orders", help=""), "must end in _total"),
    "gauge with _total": (Gauge(id="orders", metric="orders_total", help=""), "for counters only"),
    "gauge with _count": (Gauge(id="orders", metric="orders_count", help=""), "histograms reserve"),
    "label of the target": (
        Gauge(id="orders", metric="orders", help="", labels=(Label("service"),)),
        "belongs to the target",
    ),
    "reserved label": (Gauge(id="orders", metric="orders", help="", labels=(Label("le"),)), "is reserved"),
    "illegal label": (
        Gauge(id="orders", metric="orders", help="", labels=(Label("0x"),)),
        "is no label name",
    ),
    "same label twice": (
        Gauge(id="orders", metric="orders", help="", labels=(Label("a.b"), Label("a_b"))),
        "same label twice",
    ),
    "buckets that fall": (
        Histogram(id="pay", metric="pay_seconds", help="", buckets=(1.0, 0.5)),
        "must ascend",
    ),
    "infinite bucket": (
        Histogram(id="pay", metric="pay_seconds", help="", buckets=(1.0, float("inf"))),
        "leave it out",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_an_illegal_signal_is_refused_with_a_reason(case: str) -> None:
    signal, reason = BAD[case]

    with pytest.raises(ConfigError, match=reason):
        Registry([signal])
