"""gRPC channels, plain and asyncio: each call is timed until its status is known, and carries our ids."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import grpc

from obs.integrations.rpc import Called, code_name, is_quiet
from obs.runtime import guard


class _Details(NamedTuple):
    """What a call is made with, as gRPC's own class for it holds it."""

    method: Any
    timeout: Any
    metadata: Any
    credentials: Any
    wait_for_ready: Any
    compression: Any


class _Interceptor(
    grpc.UnaryUnaryClientInterceptor,
    grpc.UnaryStreamClientInterceptor,
    grpc.StreamUnaryClientInterceptor,
    grpc.StreamStreamClientInterceptor,
):
    def __init__(self, address: str) -> None:
        self._address = address

    def _intercept(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        method = _text(client_call_details.method)
        if is_quiet(method):
            return continuation(client_call_details, request)
        call = Called(method, self._address)
        try:
            response = continuation(_carrying(client_call_details, call.metadata), request)
        except BaseException as error:
            call.end(_code_of(error))
            raise
        with guard.contained("integration"):
            _follow(response, call)
        return response

    def intercept_unary_unary(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        return self._intercept(continuation, client_call_details, request)

    def intercept_unary_stream(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        return self._intercept(continuation, client_call_details, request)

    def intercept_stream_unary(
        self, continuation: Any, client_call_details: Any, request_iterator: Any
    ) -> Any:
        return self._intercept(continuation, client_call_details, request_iterator)

    def intercept_stream_stream(
        self, continuation: Any, client_call_details: Any, request_iterator: Any
    ) -> Any:
        return self._intercept(continuation, client_call_details, request_iterator)


def interceptors(address: str) -> Sequence[Any]:
    """Return the interceptors of a plain channel to the host `address`."""
    return (_Interceptor(address),)


class _AioInterceptor:
    def __init__(self, address: str) -> None:
        self._address = address

    async def _intercept(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        method = _text(client_call_details.method)
        if is_quiet(method):
            return await continuation(client_call_details, request)
        call = Called(method, self._address)
        try:
            made = await continuation(_carrying_aio(client_call_details, call.metadata), request)
        except BaseException as error:
            call.end(_code_of(error))
            raise
        with guard.contained("integration"):
            made.add_done_callback(_ender(call))
        return made


# asyncio's channel takes an interceptor for one kind of call only.
class _AioUnaryUnary(_AioInterceptor, grpc.aio.UnaryUnaryClientInterceptor):
    async def intercept_unary_unary(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        return await self._intercept(continuation, client_call_details, request)


class _AioUnaryStream(_AioInterceptor, grpc.aio.UnaryStreamClientInterceptor):
    async def intercept_unary_stream(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        return await self._intercept(continuation, client_call_details, request)


class _AioStreamUnary(_AioInterceptor, grpc.aio.StreamUnaryClientInterceptor):
    async def intercept_stream_unary(
        self, continuation: Any, client_call_details: Any, request_iterator: Any
    ) -> Any:
        return await self._intercept(continuation, client_call_details, request_iterator)


class _AioStreamStream(_AioInterceptor, grpc.aio.StreamStreamClientInterceptor):
    async def intercept_stream_stream(
        self, continuation: Any, client_call_details: Any, request_iterator: Any
    ) -> Any:
        return await self._intercept(continuation, client_call_details, request_iterator)


def aio_interceptors(address: str) -> Sequence[Any]:
    """Return the interceptors of an asyncio channel to the host `address`."""
    return tuple(
        kind(address) for kind in (_AioUnaryUnary, _AioUnaryStream, _AioStreamUnary, _AioStreamStream)
    )


def _carrying(details: Any, ours: Mapping[str, str]) -> Any:
    given = list(details.metadata or ())
    names = {_text(pair[0]) for pair in given}
    # What the caller set explicitly stays.
    metadata = [*given, *((name, value) for name, value in ours.items() if name not in names)]
    return _Details(
        details.method,
        details.timeout,
        metadata,
        getattr(details, "credentials", None),
        getattr(details, "wait_for_ready", None),
        getattr(details, "compression", None),
    )


def _carrying_aio(details: Any, ours: Mapping[str, str]) -> Any:
    given = list(details.metadata or ())
    names = {_text(pair[0]) for pair in given}
    metadata = grpc.aio.Metadata(*given, *((name, ours[name]) for name in ours if name not in names))
    return details._replace(metadata=metadata)


def _follow(response: Any, call: Called) -> None:
    """End the call when `response` has its status, which for a stream may be long after.

    gRPC cancels a call whose response is forgotten, so nothing here may hold one that is not over.
    """
    state: Any = getattr(response, "_state", None)

    def end() -> None:
        call.end(_known_code(state.code))

    if state is None:
        # Of an interceptor: over already, or its own.
        _follow_held(response, call)
    elif state.code is not None or not response.add_callback(end):
        end()


def _follow_held(response: Any, call: Called) -> None:
    def end(*_: Any) -> None:
        with guard.contained("integration"):
            call.end(_known_code(response.code()))

    if hasattr(response, "add_done_callback"):
        response.add_done_callback(end)
    elif not response.add_callback(end):
        end()


def _known_code(code: Any) -> str:
    with guard.contained("integration"):
        return code_name(code)
    return "UNKNOWN"


def _ender(call: Called) -> Callable[[Any], None]:
    def end(done: Any) -> None:
        name = "UNKNOWN"
        with guard.contained("integration"):
            # The call is over, so asking for its code does not wait: one step is all it takes.
            asking = done.code()
            try:
                asking.send(None)
            except StopIteration as answer:
                name = code_name(answer.value)
            else:
                asking.close()
        call.end(name)

    return end


def _code_of(error: BaseException) -> str:
    code = getattr(error, "code", None)
    with guard.contained("integration"):
        if callable(code):
            return code_name(code())
    return "CANCELLED" if not isinstance(error, Exception) else "UNKNOWN"


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
