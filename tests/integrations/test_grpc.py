"""gRPC, plain and asyncio: all four kinds of calls, their codes, ids in both directions, errors once."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import grpc
import grpc.aio
import pytest
from tests.integrations.grpc_orders import (
    echo,
    echo_later,
    gather,
    gather_later,
    handlers,
    many,
    many_later,
    one,
    one_later,
    reached,
    seen,
)

import obs
from obs.errors import ObsError
from obs.integrations import grpc as integration
from obs.integrations import grpc_server, rpc

Values = Callable[..., dict[tuple[str, ...], float]]
Lines = Callable[[], list[dict[str, Any]]]
_SERVED = ("rpc_server_call_duration_seconds_count", "rpc_method", "rpc_response_status_code")
_CALLED = ("rpc_client_call_duration_seconds_count", "rpc_method", "rpc_response_status_code")


@pytest.fixture
def channel() -> Iterator[Any]:
    """A channel to a plain server, both with our interceptors."""
    seen.clear()
    reached.clear()
    interceptors = integration.server_interceptors()
    server = grpc.server(ThreadPoolExecutor(4), interceptors=interceptors)
    server.add_generic_rpc_handlers(handlers(one, many, gather, echo))
    target = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    with grpc.insecure_channel(target) as plain:
        yield grpc.intercept_channel(plain, *integration.client_interceptors(target))
    server.stop(0).wait()


def code_of(call: Callable[[], Any]) -> Any:
    with pytest.raises(grpc.RpcError) as caught:
        call()
    error: Any = caught.value
    return error.code()


def eventually(condition: Callable[[], bool]) -> None:
    """Wait for what the server records after the client has its answer."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


async def eventually_later(condition: Callable[[], bool]) -> None:
    """Wait, while the loop of both sides goes on, for what one of them records after the other's end."""
    deadline = time.monotonic() + 30
    # In a thread: what reads a metric runs a loop of its own.
    while not await asyncio.to_thread(condition):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


def test_the_four_kinds_of_calls_are_measured_on_both_sides(channel: Any, values: Values) -> None:
    obs.init("shop")
    assert channel.unary_unary("/shop.Orders/One")(b"a") == b"a"
    assert list(channel.unary_stream("/shop.Orders/Many")(b"")) == [b"1", b"2"]
    assert channel.stream_unary("/shop.Orders/Gather")(iter([b"a", b"b"])) == b"ab"
    assert list(channel.stream_stream("/shop.Orders/Echo")(iter([b"a", b"b"]))) == [b"a", b"b"]
    wanted = {(f"shop.Orders/{name}", "OK"): 1.0 for name in ("One", "Many", "Gather", "Echo")}
    eventually(lambda: values(*_CALLED) == wanted)
    eventually(lambda: values(*_SERVED) == wanted)
    assert set(values("rpc_server_active_calls", "rpc_method").values()) == {0}


def test_the_code_is_the_one_the_client_sees(channel: Any, values: Values) -> None:
    obs.init("shop")
    call = channel.unary_unary("/shop.Orders/One")
    assert code_of(lambda: call(b"raise")) is grpc.StatusCode.UNKNOWN
    assert code_of(lambda: call(b"abort")) is grpc.StatusCode.NOT_FOUND
    assert code_of(lambda: call(b"set")) is grpc.StatusCode.INVALID_ARGUMENT
    assert code_of(lambda: call(b"refuse")) is grpc.StatusCode.PERMISSION_DENIED
    assert code_of(lambda: call(b"wait", timeout=1.0)) is grpc.StatusCode.DEADLINE_EXCEEDED
    codes = {"UNKNOWN", "NOT_FOUND", "INVALID_ARGUMENT", "PERMISSION_DENIED", "DEADLINE_EXCEEDED"}
    eventually(lambda: values(*_SERVED) == {("shop.Orders/One", code): 1 for code in codes})
    eventually(lambda: values(*_CALLED) == {("shop.Orders/One", code): 1 for code in codes})


@pytest.mark.parametrize(
    ("remaining", "code"),
    [(-0.01, "DEADLINE_EXCEEDED"), (0.9, "DEADLINE_EXCEEDED"), (5.0, "CANCELLED"), (None, "CANCELLED")],
)
def test_a_client_that_gives_up_at_its_deadline_reaches_the_server_just_before_its_own(
    remaining: float | None, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = rpc.Served("shop.Orders/One", ())
    monkeypatch.setattr(call, "_start", call._start - 9.0)
    cut = SimpleNamespace(cancelled=lambda: True, time_remaining=lambda: remaining)
    assert grpc_server._was_cut(call, cut, None) == code
    call.end(code)


def test_a_call_that_the_client_gives_up_is_cancelled_on_both_sides(channel: Any, values: Values) -> None:
    obs.init("shop")
    stream = channel.unary_stream("/shop.Orders/Many")(b"wait")
    assert next(stream) == b"1"
    stream.cancel()
    future = channel.unary_unary("/shop.Orders/One").future(b"wait")
    assert reached.wait(10)
    future.cancel()
    wanted = {("shop.Orders/Many", "CANCELLED"): 1.0, ("shop.Orders/One", "CANCELLED"): 1.0}
    eventually(lambda: values(*_SERVED) == wanted)
    eventually(lambda: values(*_CALLED) == wanted)


def test_a_stream_that_the_client_forgets_is_cancelled_as_it_is_without_us(
    channel: Any, values: Values
) -> None:
    obs.init("shop")
    stream = channel.unary_stream("/shop.Orders/Many")(b"wait")
    assert next(stream) == b"1"
    del stream
    gc.collect()
    wanted = {("shop.Orders/Many", "CANCELLED"): 1.0}
    eventually(lambda: values(*_SERVED) == values(*_CALLED) == wanted)


def test_a_method_that_the_server_has_not_is_unmatched_there(channel: Any, values: Values) -> None:
    obs.init("shop")
    for name in ("Nope", "Guess"):
        code = code_of(lambda name=name: channel.unary_unary(f"/shop.Orders/{name}")(b""))  # type: ignore[misc]
        assert code is grpc.StatusCode.UNIMPLEMENTED
    assert values(*_SERVED) == {("unmatched", "UNIMPLEMENTED"): 2}


def test_health_checks_are_not_observed(channel: Any, values: Values) -> None:
    obs.init("shop")
    channel.unary_unary("/grpc.health.v1.Health/Check")(b"")
    assert values(*_SERVED) == values(*_CALLED) == {}


def test_an_error_of_a_handler_is_one_line_with_its_stack_an_abort_is_none(
    channel: Any, values: Values, lines: Lines
) -> None:
    obs.init("shop", access_log=False)
    code_of(lambda: channel.unary_unary("/shop.Orders/One")(b"raise"))
    code_of(lambda: list(channel.unary_stream("/shop.Orders/Many")(b"raise")))
    code_of(lambda: channel.unary_unary("/shop.Orders/One")(b"abort"))
    eventually(lambda: sum(values(*_SERVED).values()) == 3)
    assert values("exceptions_unhandled_total", "mechanism")["rpc",] == 2
    stacks = [line for line in lines() if "exception" in line]
    assert [line["message"] for line in stacks] == [
        "unhandled exception in shop.Orders/One",
        "unhandled exception in shop.Orders/Many",
    ]
    assert stacks[0]["trace_id"]


def test_one_trace_and_one_request_id_go_through_client_and_server(channel: Any, collector: Any) -> None:
    obs.init("shop", otlp_endpoint=collector.url)
    with obs.extract({"x-request-id": "req-7", "baggage": "tenant=acme"}), obs.span("outer"):
        here = obs.ids()
        _, call = channel.unary_unary("/shop.Orders/One").with_call(b"a")
        assert obs.ids() == here
    assert dict(call.trailing_metadata())["x-request-id"] == "req-7"
    ids, metadata = seen[0]
    assert (ids.trace_id, ids.request_id) == (here.trace_id, "req-7")
    assert metadata["baggage"] == "tenant=acme"
    eventually(lambda: obs.flush(5) and len(collector.spans) == 3)
    spans = {span.kind: span for span in collector.spans}
    assert {span.name for span in (spans[2], spans[3])} == {"shop.Orders/One"}
    assert spans[2].parent_span_id == spans[3].span_id
    assert spans[3].parent_span_id == spans[1].span_id


def test_a_caller_that_is_not_trusted_is_not_believed(channel: Any) -> None:
    obs.init("shop", trust_incoming=False)
    with obs.extract({"x-request-id": "req-7"}), obs.span("outer"):
        here = obs.ids()
        channel.unary_unary("/shop.Orders/One")(b"a")
    assert seen[0][0].trace_id != here.trace_id
    assert seen[0][0].request_id not in {"", "req-7"}


def test_ids_stay_in_the_house(channel: Any) -> None:
    obs.init("shop", propagate_to="payments")
    with obs.span("outer"):
        channel.unary_unary("/shop.Orders/One")(b"a", metadata=(("x-tenant", "acme"),))
    assert "traceparent" not in seen[0][1]
    assert seen[0][1]["x-tenant"] == "acme"


def test_before_init_a_call_just_happens(channel: Any) -> None:
    assert channel.unary_unary("/shop.Orders/One")(b"a") == b"a"
    assert list(channel.unary_stream("/shop.Orders/Many")(b"")) == [b"1", b"2"]


async def _stream(call: Any) -> list[bytes]:
    return [response async for response in call]


async def _code(call: Any) -> Any:
    try:
        await call
    except grpc.RpcError as error:
        failed: Any = error
        return failed.code()
    return grpc.StatusCode.OK


def serve_later(body: Callable[[Any], Any]) -> None:
    """Run `body` with a channel to an asyncio server, both with our interceptors."""
    seen.clear()

    async def run() -> None:
        server = grpc.aio.server(interceptors=integration.aio_server_interceptors())
        server.add_generic_rpc_handlers(handlers(one_later, many_later, gather_later, echo_later))
        target = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
        await server.start()
        ours = integration.aio_client_interceptors(target)
        async with grpc.aio.insecure_channel(target, interceptors=ours) as channel:
            await body(channel)
        await server.stop(0)
        # The oldest supported version complains where a server outlives its loop.
        del server
        gc.collect()

    asyncio.run(run())


def test_asyncio_the_four_kinds_of_calls_and_their_codes(values: Values, lines: Lines) -> None:
    obs.init("shop", access_log=False)
    wanted = {(f"shop.Orders/{name}", "OK"): 1.0 for name in ("One", "Many", "Gather", "Echo")}
    codes = ("UNKNOWN", "NOT_FOUND", "INVALID_ARGUMENT", "PERMISSION_DENIED", "DEADLINE_EXCEEDED")
    wanted |= {("shop.Orders/One", code): 1.0 for code in codes}
    wanted |= {("shop.Orders/Many", "CANCELLED"): 1.0}

    def served() -> bool:
        return values(*_SERVED) == {**wanted, ("unmatched", "UNIMPLEMENTED"): 1}

    async def body(channel: Any) -> None:
        call = channel.unary_unary("/shop.Orders/One")
        assert await call(b"a") == b"a"
        assert await _stream(channel.unary_stream("/shop.Orders/Many")(b"")) == [b"1", b"2"]
        assert await channel.stream_unary("/shop.Orders/Gather")(iter([b"a", b"b"])) == b"ab"
        assert await _stream(channel.stream_stream("/shop.Orders/Echo")(iter([b"a", b"b"]))) == [b"a", b"b"]
        assert await _code(call(b"raise")) is grpc.StatusCode.UNKNOWN
        assert await _code(call(b"abort")) is grpc.StatusCode.NOT_FOUND
        assert await _code(call(b"set")) is grpc.StatusCode.INVALID_ARGUMENT
        assert await _code(call(b"refuse")) is grpc.StatusCode.PERMISSION_DENIED
        assert await _code(call(b"wait", timeout=1.0)) is grpc.StatusCode.DEADLINE_EXCEEDED
        assert await _code(channel.unary_unary("/shop.Orders/Nope")(b"")) is grpc.StatusCode.UNIMPLEMENTED
        stream = channel.unary_stream("/shop.Orders/Many")(b"wait")
        await stream.read()
        stream.cancel()
        await eventually_later(served)

    serve_later(body)
    assert served()
    assert values(*_CALLED) == {**wanted, ("shop.Orders/Nope", "UNIMPLEMENTED"): 1}
    assert [line["message"] for line in lines() if "exception" in line] == [
        "unhandled exception in shop.Orders/One"
    ] * 2


def test_asyncio_a_stream_that_is_given_up_cleans_up_inside_of_its_call(values: Values, lines: Lines) -> None:
    obs.init("shop")
    cleaned: list[bool] = []

    async def flood(request: bytes, context: Any) -> AsyncIterator[bytes]:
        try:
            # More than the client takes, so that the call is cut off while a message is on its way.
            while True:
                yield b"x" * 1_000_000
        finally:
            await asyncio.sleep(0)
            obs.log.info("cleaned")
            cleaned.append(True)

    async def run() -> None:
        server = grpc.aio.server(interceptors=integration.aio_server_interceptors())
        methods: dict[str, Any] = {"Flood": grpc.unary_stream_rpc_method_handler(flood)}
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("shop.Orders", methods),))
        target = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
        await server.start()
        async with grpc.aio.insecure_channel(target) as channel:
            call: Any = channel.unary_stream("/shop.Orders/Flood")
            stream = call(b"")
            await stream.read()
            await asyncio.sleep(0.1)
            stream.cancel()
            await eventually_later(lambda: bool(cleaned))
            await eventually_later(lambda: bool(values(*_SERVED)))
        await server.stop(0)
        del server
        gc.collect()

    asyncio.run(run())
    told = [line for line in lines() if line["message"] in {"cleaned", "shop.Orders/Flood CANCELLED"}]
    assert [line["message"] for line in told] == ["cleaned", "shop.Orders/Flood CANCELLED"]
    assert told[0]["span_id"] == told[1]["span_id"]


def test_asyncio_one_trace_goes_through_client_and_server() -> None:
    obs.init("shop")

    async def body(channel: Any) -> None:
        with obs.extract({"x-request-id": "req-7"}), obs.span("outer"):
            here = obs.ids()
            call = channel.unary_unary("/shop.Orders/One")(b"a")
            await call
            assert ("x-request-id", "req-7") in [tuple(pair) for pair in await call.trailing_metadata()]
            assert obs.ids() == here
            assert (seen[0][0].trace_id, seen[0][0].request_id) == (here.trace_id, "req-7")

    serve_later(body)


def test_asyncio_a_plain_handler_is_observed_as_well(values: Values) -> None:
    obs.init("shop")

    async def run() -> None:
        server = grpc.aio.server(ThreadPoolExecutor(2), interceptors=integration.aio_server_interceptors())
        server.add_generic_rpc_handlers(handlers(one, many, gather_later, echo_later))
        target = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
        await server.start()
        opened: Any = grpc.aio.insecure_channel(target)
        async with opened as channel:
            assert await channel.unary_unary("/shop.Orders/One")(b"a") == b"a"
            assert await _stream(channel.unary_stream("/shop.Orders/Many")(b"")) == [b"1", b"2"]
        await server.stop(0)
        # The oldest supported version complains where a server outlives its loop.
        del server
        gc.collect()

    asyncio.run(run())
    assert values(*_SERVED) == {("shop.Orders/One", "OK"): 1, ("shop.Orders/Many", "OK"): 1}


def test_the_module_stands_for_what_it_makes_from_then_on(
    monkeypatch: pytest.MonkeyPatch, values: Values
) -> None:
    for module in (grpc, grpc.aio):
        for name in ("server", "insecure_channel", "secure_channel"):
            monkeypatch.setattr(module, name, getattr(module, name))
    monkeypatch.setattr(grpc, "_obs_instrumented", True, raising=False)
    monkeypatch.delattr(grpc, "_obs_instrumented")
    obs.instrument(grpc)
    obs.instrument(grpc)
    obs.init("shop")
    server = grpc.server(ThreadPoolExecutor(2))
    server.add_generic_rpc_handlers(handlers(one, many, gather, echo))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    opened: Any = grpc.insecure_channel(f"127.0.0.1:{port}")
    with opened as channel:
        channel.unary_unary("/shop.Orders/One")(b"a")

    async def call() -> None:
        made: Any = grpc.aio.insecure_channel(f"127.0.0.1:{port}")
        async with made as later:
            await later.unary_unary("/shop.Orders/One")(b"a")

    asyncio.run(call())
    server.stop(0).wait()
    assert values(*_SERVED) == values(*_CALLED) == {("shop.Orders/One", "OK"): 2}


def test_what_is_made_already_is_refused_with_the_way_to_go() -> None:
    with grpc.insecure_channel("127.0.0.1:1") as channel, pytest.raises(ObsError) as caught:
        obs.instrument(channel)
    assert "obs.instrument(grpc)" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("target", "host"),
    {
        "orders:50051": "orders",
        "orders": "orders",
        "dns:///orders.internal:50051": "orders.internal",
        "dns://8.8.8.8/orders:50051": "orders",
        "dns:orders:50051": "orders",
        "ipv4:10.0.0.1:50051,10.0.0.2:50051": "10.0.0.1",
        "ipv6:[::1]:50051": "::1",
        "[::1]:50051": "::1",
        "unix:/run/orders.sock": "localhost",
        "unix:///run/orders.sock": "localhost",
        "xds:///orders": "orders",
    }.items(),
)
def test_the_host_of_a_target(target: str, host: str) -> None:
    assert rpc.address_of(target) == host
