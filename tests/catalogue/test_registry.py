"""Signals are found by id, and no two mean different things under one name."""

from __future__ import annotations

import pytest

from obs.catalogue import Counter, Registry, bundled, http
from obs.errors import ConfigError, UnknownSignal


def test_a_misspelt_id_names_the_nearest_match() -> None:
    with pytest.raises(UnknownSignal, match=r"did you mean 'http\.server\.duration'"):
        bundled().find("http.server.durations")


def test_adding_the_same_signal_again_is_harmless() -> None:
    registry = bundled()
    before = len(registry)

    registry.add(http.SERVER_DURATION)

    assert before == len(registry)


def test_one_id_cannot_mean_two_things() -> None:
    registry = Registry([Counter(id="orders", metric="orders_total", help="one")])

    with pytest.raises(ConfigError, match="declared twice"):
        registry.add(Counter(id="orders", metric="orders_total", help="two"))


def test_one_metric_name_cannot_belong_to_two_signals_in_any_dialect() -> None:
    with pytest.raises(
        ConfigError, match=r"'http_requests_total' .* already belongs to 'http\.server\.requests'"
    ):
        bundled().add(Counter(id="mine", metric="http_requests_total", help=""))


def test_a_counter_counted_by_nothing_is_refused() -> None:
    signal = Counter(id="calls", metric="calls_seconds_count", help="", counted_by="call.duration")

    with pytest.raises(ConfigError, match="which is not declared"):
        Registry([signal])


def test_membership_and_length_agree_with_iteration() -> None:
    registry = bundled()

    assert len(list(registry)) == len(registry)
    assert all(signal.id in registry for signal in registry)
