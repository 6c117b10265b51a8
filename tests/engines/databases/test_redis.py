"""redis-py on a real Redis, plain and asynchronous."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import redis
import redis.asyncio
from tests.engines.databases.figures import counts, found, values

import obs

pytestmark = pytest.mark.engines


@pytest.fixture
def client(redis_server: int) -> Any:
    made: Any = redis.Redis(port=redis_server, max_connections=2)
    obs.instrument(made)
    obs.instrument(made)
    return made


def test_commands_are_counted_with_hits_and_misses(client: Any) -> None:
    obs.init("shop")
    client.set("user:1", "x")
    client.get("user:1")
    client.get("user:2")
    client.mget("user:1", "user:2", "user:3")
    client.hset("cart", "a", "1")
    client.hget("cart", "b")
    with pytest.raises(redis.ResponseError):
        client.incr("user:1")
    assert counts() == {
        ("SET", ""): 1, ("GET", ""): 2, ("MGET", ""): 1, ("HSET", ""): 1, ("HGET", ""): 1,
        ("INCRBY", "ResponseError"): 1,
    }  # fmt: skip
    assert found() == (
        {("GET",): 1, ("MGET",): 1, ("HGET",): 0},
        {("GET",): 1, ("MGET",): 2, ("HGET",): 1},
    )


def test_a_pipeline_is_one_operation_whose_lookups_count(client: Any) -> None:
    obs.init("shop")
    client.set("a", 1)
    with client.pipeline(transaction=False) as pipeline:
        assert pipeline.get("a").get("b").execute() == [b"1", None]
    with client.pipeline() as pipeline:
        pipeline.watch("a")
        assert pipeline.get("a") == b"1"
        pipeline.multi()
        pipeline.set("a", 2)
        pipeline.execute()
    assert counts() == {
        ("SET", ""): 1,
        ("PIPELINE", ""): 1,
        ("WATCH", ""): 1,
        ("GET", ""): 1,
        ("MULTI", ""): 1,
    }
    assert found() == ({("GET",): 2}, {("GET",): 1})


def test_no_key_or_value_is_recorded(
    client: Any, collector: Any, attributes: Callable[[Any], dict[str, Any]]
) -> None:
    obs.init("shop", otlp_endpoint=collector.url)
    client.set("hunter2-key", "hunter2-value")
    client.execute_command("GET hunter2-key")
    with client.pipeline() as pipeline:
        pipeline.get("hunter2-key").set("hunter2-key", "hunter2-value").execute()
    assert obs.flush(5)
    assert collector.names() == ["SET", "GET", "MULTI"]
    assert attributes(collector.spans[0])["db.system.name"] == "redis"
    assert attributes(collector.spans[2])["db.operation.batch.size"] == 2
    assert "hunter2" not in str(collector.spans)


def test_the_pool_tells_what_is_lent_and_what_it_refused(client: Any) -> None:
    obs.init("shop")
    pool = client.connection_pool
    # Before version 6 it had to be told what for, since then it must not.
    purpose = ("GET",) if int(redis.__version__.partition(".")[0]) < 6 else ()
    one, two = pool.get_connection(*purpose), pool.get_connection(*purpose)
    assert list(values("db_client_connections_used").values()) == [2]
    assert list(values("db_client_connection_max").values()) == [2]
    with pytest.raises(redis.ConnectionError):
        client.get("a")
    assert list(values("db_client_connection_timeouts_total").values()) == [1]
    pool.release(one)
    pool.release(two)
    assert list(values("db_client_connections_used").values()) == [0]


def test_two_clients_of_one_server_have_their_pools_counted_together(client: Any, redis_server: int) -> None:
    obs.init("shop")
    other: Any = redis.Redis(port=redis_server, max_connections=3)
    obs.instrument(other)
    purpose = ("GET",) if int(redis.__version__.partition(".")[0]) < 6 else ()
    lent = [(made.connection_pool, made.connection_pool.get_connection(*purpose)) for made in (client, other)]
    assert list(values("db_client_connections_used").values()) == [2]
    assert list(values("db_client_connection_max").values()) == [5]
    for pool, connection in lent:
        pool.release(connection)
    assert list(values("db_client_connections_used").values()) == [0]


def test_waiting_for_a_message_is_not_slow(client: Any, capfd: pytest.CaptureFixture[str]) -> None:
    obs.init("shop", slow_query=0.05)
    assert client.blpop(["queue"], timeout=0.2) is None
    assert counts() == {("BLPOP", ""): 1}
    assert "slow query" not in capfd.readouterr().out


def test_an_asynchronous_client_is_observed_as_well(redis_server: int) -> None:
    obs.init("shop")

    async def run() -> None:
        asynchronous: Any = redis.asyncio.Redis
        async with asynchronous(port=redis_server) as client:
            obs.instrument(client)
            with obs.span("outer"):
                outer = obs.ids()
                await client.set("a", 1)
                await client.get("a")
                async with client.pipeline(transaction=True) as pipeline:
                    assert await pipeline.get("a").get("b").execute() == [b"1", None]
                assert obs.ids() == outer

    asyncio.run(run())
    assert counts() == {("SET", ""): 1, ("GET", ""): 1, ("MULTI", ""): 1}
    assert found() == ({("GET",): 2}, {("GET",): 1})
    assert list(values("db_client_connections_used").values()) == [0]


def test_a_server_that_is_gone_is_an_error_of_the_command() -> None:
    obs.init("shop")
    client: Any = redis.Redis(port=1)
    obs.instrument(client)
    with pytest.raises(redis.ConnectionError):
        client.get("a")
    assert counts() == {("GET", "ConnectionError"): 1}
