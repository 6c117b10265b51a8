"""redis-py without a server: which command it is, and that no key is ever part of its name."""

from __future__ import annotations

import math
from typing import Any

import pytest
import redis
import redis.asyncio
from hypothesis import given
from hypothesis import strategies as st

import obs
from obs.integrations import redis as integration
from obs.integrations.pool import PoolMeter


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (("get", "key"), "GET"),
        ((b"GET", "key"), "GET"),
        (("GET key",), "GET"),
        (("CONFIG GET", "maxmemory"), "CONFIG"),
        (("JSON.GET", "key"), "JSON.GET"),
        (("", "key"), "OTHER"),
        ((), "OTHER"),
        (("user:42",), "OTHER"),
        (("x" * 40,), "OTHER"),
        (("größe",), "OTHER"),
    ],
)
def test_a_command_is_called_by_its_first_word(arguments: tuple[Any, ...], name: str) -> None:
    assert integration._command_name(arguments) == name


@given(st.lists(st.text(max_size=80) | st.binary(max_size=80) | st.integers(), max_size=3))
def test_any_command_has_a_short_plain_name(arguments: list[Any]) -> None:
    name = integration._command_name(arguments)
    assert name.isascii()
    assert 0 < len(name) <= 32


@pytest.mark.parametrize("make", [redis.Redis, redis.asyncio.Redis])
def test_a_client_is_recognised_and_a_second_time_is_harmless(make: Any) -> None:
    client = make(port=1)
    obs.instrument(client)
    first = client.execute_command
    obs.instrument(client)
    assert client.execute_command == first


def test_a_server_that_is_gone_is_an_error_of_the_command(values: Any) -> None:
    obs.init("shop")
    make: Any = redis.Redis
    client = make(port=1, retry=None)
    obs.instrument(client)
    with pytest.raises(redis.ConnectionError):
        client.get("a")
    labels = ("db_operation_name", "error_type")
    assert values("db_client_operation_duration_seconds_count", *labels) == {("GET", "ConnectionError"): 1}
    assert values("db_client_connections_used") == {(): 0}
    assert values("cache_misses_total") == {}


def test_before_init_a_command_just_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []
    monkeypatch.setattr(integration, "Operation", lambda *given, **_: made.append(given))
    make: Any = redis.Redis
    client = make(port=1, retry=None)
    obs.instrument(client)
    with pytest.raises(redis.ConnectionError):
        client.get("key")
    assert made == []
    obs.init("shop")
    with pytest.raises(redis.ConnectionError):
        client.get("key")
    assert len(made) == 1


def test_a_pool_has_the_name_of_its_server_and_its_database() -> None:
    client: Any = redis.Redis(host="cache", port=6380, db=2)
    assert integration._attributes(client.connection_pool) == {
        "server.address": "cache", "server.port": 6380, "db.namespace": "2",
    }  # fmt: skip


def test_pools_of_one_server_are_counted_together(values: Any) -> None:
    obs.init("shop")
    first, second = PoolMeter("cache:6379/0"), PoolMeter("cache:6379/0")
    first.most = 5
    first.lend(1)
    first.lend(2)
    second.most = 7
    second.lend(1)
    assert values("db_client_connections_used") == {(): 3}
    assert values("db_client_connection_max") == {(): 12}
    obs.shutdown()
    obs.init("shop")
    second.take_back(1)
    assert values("db_client_connections_used") == {(): 2}
    assert values("db_client_connection_max") == {(): 12}
    first.take_back(1)
    first.take_back(2)
    assert values("db_client_connections_used") == {(): 0}


def test_beside_a_pool_without_a_limit_there_is_none(values: Any) -> None:
    obs.init("shop")
    limited, other = PoolMeter("cache:6380/0"), PoolMeter("cache:6380/0")
    other.lend(1)
    assert values("db_client_connection_max") == {}
    limited.most = 5
    limited.lend(1)
    assert values("db_client_connection_max") == {(): math.inf}
