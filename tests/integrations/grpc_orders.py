"""A gRPC service of orders with all four kinds of calls, plain and asyncio."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import grpc

import obs

#: Ids and metadata of every call of One.
seen: list[Any] = []
reached = threading.Event()


def one(request: bytes, context: Any) -> bytes:
    seen.append((obs.ids(), dict(context.invocation_metadata())))
    if request == b"refuse":
        context.set_code(grpc.StatusCode.PERMISSION_DENIED)
    if request in {b"raise", b"refuse"}:
        raise ValueError("kaputt")
    if request == b"abort":
        context.abort(grpc.StatusCode.NOT_FOUND, "no such order")
    if request == b"set":
        context.set_code(grpc.StatusCode.INVALID_ARGUMENT)
    if request == b"wait":
        reached.set()
        while context.is_active():
            time.sleep(0.005)
    return request


def many(request: bytes, context: Any) -> Iterator[bytes]:
    yield b"1"
    if request == b"raise":
        raise ValueError("kaputt")
    while request == b"wait" and context.is_active():
        time.sleep(0.005)
        yield b"x"
    yield b"2"


def gather(requests: Iterator[bytes], context: Any) -> bytes:
    return b"".join(requests)


def echo(requests: Iterator[bytes], context: Any) -> Iterator[bytes]:
    yield from requests


async def one_later(request: bytes, context: Any) -> bytes:
    seen.append((obs.ids(), dict(context.invocation_metadata())))
    if request == b"refuse":
        context.set_code(grpc.StatusCode.PERMISSION_DENIED)
    if request in {b"raise", b"refuse"}:
        raise ValueError("kaputt")
    if request == b"abort":
        await context.abort(grpc.StatusCode.NOT_FOUND, "no such order")
    if request == b"set":
        context.set_code(grpc.StatusCode.INVALID_ARGUMENT)
    if request == b"wait":
        await asyncio.sleep(30)
    return request


async def many_later(request: bytes, context: Any) -> AsyncIterator[bytes]:
    yield b"1"
    if request == b"raise":
        raise ValueError("kaputt")
    while request == b"wait":
        await asyncio.sleep(0.005)
        yield b"x"
    yield b"2"


async def gather_later(requests: AsyncIterator[bytes], context: Any) -> bytes:
    return b"".join([request async for request in requests])


async def echo_later(requests: AsyncIterator[bytes], context: Any) -> None:
    async for request in requests:
        await context.write(request)


def handlers(one: Any, many: Any, gather: Any, echo: Any) -> tuple[Any, ...]:
    methods: dict[str, Any] = {
        "One": grpc.unary_unary_rpc_method_handler(one),
        "Many": grpc.unary_stream_rpc_method_handler(many),
        "Gather": grpc.stream_unary_rpc_method_handler(gather),
        "Echo": grpc.stream_stream_rpc_method_handler(echo),
    }
    health: dict[str, Any] = {"Check": grpc.unary_unary_rpc_method_handler(one)}
    return (
        grpc.method_handlers_generic_handler("shop.Orders", methods),
        grpc.method_handlers_generic_handler("grpc.health.v1.Health", health),
    )
