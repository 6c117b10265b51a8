"""redis-py on a real cluster, plain and asynchronous: one operation a call, whichever servers it was led to."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
from redis.asyncio.cluster import RedisCluster as AsyncCluster
from redis.cluster import RedisCluster
from tests.engines.databases.figures import counts, found
from tests.engines.databases.redis_groups import Cluster

import obs

pytestmark = [pytest.mark.engines, pytest.mark.xdist_group("redis-cluster")]

Attributes = Callable[[Any], dict[str, Any]]
_MAJOR = int(redis.__version__.partition(".")[0])
#: Three keys on three servers.
_KEYS = ("a", "b", "c")


@pytest.fixture
def client(redis_cluster: Cluster) -> Iterator[Any]:
    made: Any = RedisCluster(host="127.0.0.1", port=redis_cluster.ports[0])
    obs.instrument(made)
    obs.instrument(made)
    yield made
    made.close()


def run(redis_cluster: Cluster, use: Callable[[Any], Any]) -> None:
    """Have `use` do its part with an asynchronous client, inside of a span that it must come back to."""

    async def begin() -> None:
        made: Any = AsyncCluster(host="127.0.0.1", port=redis_cluster.ports[0])
        obs.instrument(made)
        obs.instrument(made)
        try:
            with obs.span("outer"):
                outer = obs.ids()
                await use(made)
                assert obs.ids() == outer
        finally:
            # Called close before version 5.0.1.
            await getattr(made, "aclose", made.close)()

    asyncio.run(begin())


def test_commands_are_counted_with_hits_misses_and_errors(client: Any) -> None:
    obs.init("shop")
    for key in _KEYS:
        client.set(key, "x")
    client.get("a")
    client.get("nobody")
    with pytest.raises(redis.ResponseError):
        client.incr("a")
    assert counts() == {("SET", ""): 3, ("GET", ""): 2, ("INCRBY", "ResponseError"): 1}
    assert found() == ({("GET",): 1}, {("GET",): 1})


def test_an_asynchronous_client_counts_alike(redis_cluster: Cluster) -> None:
    obs.init("shop")

    async def use(client: Any) -> None:
        for key in _KEYS:
            await client.set(key, "x")
        await client.get("a")
        await client.get("nobody")
        with pytest.raises(redis.ResponseError):
            await client.incr("a")

    run(redis_cluster, use)
    assert counts() == {("SET", ""): 3, ("GET", ""): 2, ("INCRBY", "ResponseError"): 1}
    assert found() == ({("GET",): 1}, {("GET",): 1})


def test_a_pipeline_over_several_servers_is_one_operation_whose_lookups_count(client: Any) -> None:
    obs.init("shop")
    with client.pipeline() as pipeline:
        assert pipeline.set("a", 1).get("a").get("b").execute() == [True, b"1", None]
    assert counts() == {("PIPELINE", ""): 1}
    assert found() == ({("GET",): 1}, {("GET",): 1})


def test_an_asynchronous_pipeline_counts_alike(redis_cluster: Cluster) -> None:
    obs.init("shop")

    async def use(client: Any) -> None:
        async with client.pipeline() as pipeline:
            assert await pipeline.set("a", 1).get("a").get("b").execute() == [True, b"1", None]

    run(redis_cluster, use)
    assert counts() == {("PIPELINE", ""): 1}
    assert found() == ({("GET",): 1}, {("GET",): 1})


def test_no_key_or_value_is_recorded_and_a_pipeline_tells_its_size(
    client: Any, collector: Any, attributes: Attributes
) -> None:
    obs.init("shop", otlp_endpoint=collector.url)
    client.set("hunter2-key", "hunter2-value")
    with client.pipeline() as pipeline:
        pipeline.get("hunter2-key").set("hunter2-other", "hunter2-value").execute()
    with pytest.raises(redis.ResponseError, match="hunter2"), client.pipeline() as pipeline:
        pipeline.incr("hunter2-key").execute()
    assert obs.flush(30)
    assert collector.names() == ["SET", "PIPELINE", "PIPELINE"]
    assert attributes(collector.spans[0])["db.system.name"] == "redis"
    assert attributes(collector.spans[1])["db.operation.batch.size"] == 2
    assert attributes(collector.spans[2])["error.type"] == "ResponseError"
    assert collector.spans[2].status.code == 2
    assert "hunter2" not in str(collector.spans)


def test_an_operation_that_another_server_had_to_answer_is_still_one(
    client: Any, redis_cluster: Cluster
) -> None:
    obs.init("shop")
    slot = client.keyslot("a")
    redis_cluster.move(slot)
    assert client.get("a") is None
    assert counts() == {("GET", ""): 1}
    redis_cluster.move(slot)
    with client.pipeline() as pipeline:
        assert pipeline.get("a").get("a").execute() == [None, None]
    with redis_cluster.moving(slot):
        assert client.get("a") is None
        with client.pipeline() as pipeline:
            assert pipeline.get("a").execute() == [None]
    assert counts() == {("GET", ""): 2, ("PIPELINE", ""): 2}
    assert found() == ({("GET",): 0}, {("GET",): 5})


def test_an_asynchronous_operation_that_another_server_had_to_answer_is_still_one(
    redis_cluster: Cluster, collector: Any
) -> None:
    obs.init("shop", otlp_endpoint=collector.url)

    async def use(client: Any) -> None:
        assert await client.get("a") is None
        slot = client.keyslot("a")
        redis_cluster.move(slot)
        assert await client.get("a") is None
        redis_cluster.move(slot)
        async with client.pipeline() as pipeline:
            assert await pipeline.get("a").get("a").execute() == [None, None]
        with redis_cluster.moving(slot):
            assert await client.get("a") is None
            async with client.pipeline() as pipeline:
                assert await pipeline.get("a").execute() == [None]
        # What the pipeline did by itself is over: the next command is told again.
        assert await client.get("a") is None

    run(redis_cluster, use)
    assert counts() == {("GET", ""): 4, ("PIPELINE", ""): 2}
    assert found() == ({("GET",): 0}, {("GET",): 7})
    assert obs.flush(30)
    assert sorted(collector.names()) == ["GET"] * 4 + ["PIPELINE"] * 2 + ["outer"]
    outer = next(span for span in collector.spans if span.name == "outer")
    assert {span.parent_span_id for span in collector.spans if span is not outer} == {outer.span_id}


@pytest.mark.skipif(_MAJOR < 6, reason="redis-py had no transactions in a cluster before version 6")
def test_a_transaction_is_told_with_the_commands_before_it(client: Any) -> None:
    obs.init("shop")
    client.set("a", 1)
    with client.pipeline(transaction=True) as pipeline:
        pipeline.watch("a")
        assert pipeline.get("a") == b"1"
        pipeline.multi()
        assert pipeline.set("a", 2).get("a").execute()[1] == b"2"
    with client.pipeline(transaction=True) as pipeline:
        pipeline.watch("a")
        client.set("a", 3)
        pipeline.multi()
        pipeline.set("a", 4)
        with pytest.raises(redis.WatchError):
            pipeline.execute()
    assert counts() == {
        ("SET", ""): 2, ("WATCH", ""): 2, ("GET", ""): 1, ("MULTI", ""): 1, ("MULTI", "WatchError"): 1,
    }  # fmt: skip
    assert found() == ({("GET",): 2}, {("GET",): 0})


@pytest.mark.skipif(_MAJOR < 6, reason="redis-py had no transactions in a cluster before version 6")
def test_an_asynchronous_transaction_is_told_alike(redis_cluster: Cluster, collector: Any) -> None:
    obs.init("shop", otlp_endpoint=collector.url)

    async def use(client: Any) -> None:
        await client.set("a", 1)
        async with client.pipeline(transaction=True) as pipeline:
            await pipeline.watch("a")
            assert await pipeline.get("a") == b"1"
            pipeline.multi()
            assert (await pipeline.set("a", 2).get("a").execute())[1] == b"2"

    run(redis_cluster, use)
    assert counts() == {("SET", ""): 1, ("WATCH", ""): 1, ("GET", ""): 1, ("MULTI", ""): 1}
    assert found() == ({("GET",): 2}, {("GET",): 0})
    assert obs.flush(30)
    assert collector.names() == ["SET", "WATCH", "GET", "MULTI", "outer"]
    assert {span.parent_span_id for span in collector.spans[:-1]} == {collector.spans[-1].span_id}


def test_a_cluster_that_is_gone_is_an_error_of_the_command(
    client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    obs.init("shop")

    def refuse(*given: Any, **options: Any) -> Any:
        raise redis.ConnectionError("refused")

    monkeypatch.setattr(client, "_execute_command", refuse)
    with contextlib.suppress(redis.RedisError):
        client.get("a")
    ((operation, error),) = counts()
    assert (operation, bool(error)) == ("GET", True)
