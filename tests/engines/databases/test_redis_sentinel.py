"""redis-py behind a real sentinel, plain and asynchronous: through a failover it is the same cache."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import redis
import redis.asyncio.sentinel
from tests.engines.databases.figures import counts, found, values
from tests.engines.databases.redis_groups import SERVICE, Sentinel, fail_over
from tests.engines.waiting import await_

import obs

pytestmark = [pytest.mark.engines, pytest.mark.xdist_group("redis-sentinel")]


def test_commands_and_pipelines_are_told_under_the_name_of_the_service(
    redis_sentinel: int, collector: Any, attributes: Callable[[Any], dict[str, Any]]
) -> None:
    sentinel = Sentinel([("127.0.0.1", redis_sentinel)])
    client, replica = sentinel.master_for(SERVICE), sentinel.slave_for(SERVICE)
    for made in (client, replica):
        obs.instrument(made)
        obs.instrument(made)
    obs.init("shop", otlp_endpoint=collector.url)
    client.set("hunter2-key", "hunter2-value")
    with client.pipeline() as pipeline:
        pipeline.get("hunter2-key").get("hunter2-other").execute()
    with pytest.raises(redis.ResponseError):
        client.incr("hunter2-key")
    with pytest.raises(redis.ReadOnlyError):
        replica.set("hunter2-key", "other")
    replica.get("hunter2-nobody")
    assert counts() == {
        ("SET", ""): 1, ("MULTI", ""): 1, ("INCRBY", "ResponseError"): 1, ("SET", "ReadOnlyError"): 1,
        ("GET", ""): 1,
    }  # fmt: skip
    assert found() == ({("GET",): 1}, {("GET",): 2})
    assert values("db_client_connections_used", "db_client_connection_pool_name") == {
        (f"{SERVICE}/0",): 0, (f"{SERVICE} replicas/0",): 0,
    }  # fmt: skip
    assert obs.flush(30)
    assert collector.names() == ["SET", "MULTI", "INCRBY", "SET", "GET"]
    assert {attributes(span)["server.address"] for span in collector.spans} == {SERVICE}
    assert "hunter2" not in str(collector.spans)


def test_an_asynchronous_client_is_told_alike(
    redis_sentinel: int, collector: Any, attributes: Callable[[Any], dict[str, Any]]
) -> None:
    obs.init("shop", otlp_endpoint=collector.url)

    async def run() -> None:
        make: Any = redis.asyncio.sentinel.Sentinel
        sentinel = make([("127.0.0.1", redis_sentinel)])
        client = sentinel.master_for(SERVICE)
        obs.instrument(client)
        with obs.span("outer"):
            outer = obs.ids()
            await client.set("a", 1)
            async with client.pipeline() as pipeline:
                assert await pipeline.get("a").get("nobody").execute() == [b"1", None]
            assert obs.ids() == outer
        # A client does not close a pool that it was given, and a sentinel has no close of its own.
        for made in (client, *sentinel.sentinels):
            await made.connection_pool.disconnect()

    asyncio.run(run())
    assert counts() == {("SET", ""): 1, ("MULTI", ""): 1}
    assert found() == ({("GET",): 1}, {("GET",): 1})
    assert values("db_client_connections_used", "db_client_connection_pool_name") == {(f"{SERVICE}/0",): 0}
    assert obs.flush(30)
    assert collector.names() == ["SET", "MULTI", "outer"]
    assert attributes(collector.spans[0])["server.address"] == SERVICE


def test_a_failover_is_told_by_errors_at_most_and_the_client_goes_on(short_lived_sentinel: int) -> None:
    sentinel = Sentinel([("127.0.0.1", short_lived_sentinel)])
    client = sentinel.master_for(SERVICE)
    obs.instrument(client)
    obs.init("shop")
    client.set("a", 1)
    fail_over(short_lived_sentinel)
    calls, failures = 1, 0

    def written() -> bool:
        nonlocal calls, failures
        calls += 1
        try:
            return bool(client.set("a", 2))
        except redis.RedisError:
            failures += 1
            return False

    await_(written, "the new primary takes a value")
    told = counts()
    assert told.pop(("SET", "")) == calls - failures
    assert sum(told.values()) == failures
    assert list(values("db_client_connections_used").values()) == [0]


def test_a_service_that_no_sentinel_knows_is_an_error_of_the_command(redis_sentinel: int) -> None:
    sentinel = Sentinel([("127.0.0.1", redis_sentinel)])
    client = sentinel.master_for("nobody")
    obs.instrument(client)
    obs.init("shop")
    with pytest.raises(redis.ConnectionError):
        client.get("a")
    assert counts() == {("GET", "MasterNotFoundError"): 1}
