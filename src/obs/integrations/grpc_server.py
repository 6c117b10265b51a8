"""gRPC servers, plain and asyncio: each handler is wrapped, so that all runs where the handler runs."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing
from functools import wraps
from typing import Any

import grpc

from obs.integrations.rpc import Served, code_name, is_quiet, refuse
from obs.runtime import guard

_KINDS = ("unary_unary", "unary_stream", "stream_unary", "stream_stream")


class _Interceptor(grpc.ServerInterceptor):
    def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        handler = continuation(handler_call_details)
        return _observed(handler, handler_call_details, asynchronous=False)


class _AioInterceptor(grpc.aio.ServerInterceptor):
    async def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        handler = await continuation(handler_call_details)
        return _observed(handler, handler_call_details, asynchronous=True)


INTERCEPTORS = (_Interceptor(),)
AIO_INTERCEPTORS = (_AioInterceptor(),)


def _observed(handler: Any, details: Any, *, asynchronous: bool) -> Any:
    """Return `handler` with its behaviour wrapped; as it is where there is nothing to observe."""
    with guard.contained("integration"):
        method = _text(details.method)
        if handler is None:
            refuse(method)
        elif not is_quiet(method):
            return _wrap(handler, method, asynchronous=asynchronous)
    return handler


def _wrap(handler: Any, method: str, *, asynchronous: bool) -> Any:
    kind = next(kind for kind in _KINDS if getattr(handler, kind) is not None)
    behavior = getattr(handler, kind)
    if asynchronous and inspect.isasyncgenfunction(behavior):
        wrapped = _async_stream(behavior, method)
    elif asynchronous and inspect.iscoroutinefunction(behavior):
        wrapped = _coroutine(behavior, method)
    elif kind.endswith("_stream"):
        wrapped = _stream(behavior, method)
    else:
        wrapped = _unary(behavior, method)
    make = getattr(grpc, f"{kind}_rpc_method_handler")
    return make(wrapped, handler.request_deserializer, handler.response_serializer)


def _unary(behavior: Callable[..., Any], method: str) -> Callable[..., Any]:
    @wraps(behavior)
    def observed(request: Any, context: Any, *rest: Any) -> Any:
        call = _begin(method, context)
        try:
            response = behavior(request, context, *rest)
        except BaseException as error:
            call.end(_code(call, context, error), error)
            raise
        call.end(_code(call, context, None))
        return response

    return observed


def _stream(behavior: Callable[..., Any], method: str) -> Callable[..., Any]:
    @wraps(behavior)
    def observed(request: Any, context: Any, *rest: Any) -> Iterator[Any]:
        call = _begin(method, context)
        try:
            yield from behavior(request, context, *rest) or ()
        except BaseException as error:
            call.end(_code(call, context, error), error)
            raise
        call.end(_code(call, context, None))

    return observed


def _coroutine(behavior: Callable[..., Any], method: str) -> Callable[..., Any]:
    @wraps(behavior)
    async def observed(request: Any, context: Any) -> Any:
        call = _begin(method, context)
        try:
            response = await behavior(request, context)
        except BaseException as error:
            call.end(_code(call, context, error), error)
            raise
        call.end(_code(call, context, None))
        return response

    return observed


def _async_stream(behavior: Callable[..., Any], method: str) -> Callable[..., Any]:
    @wraps(behavior)
    async def observed(request: Any, context: Any) -> AsyncIterator[Any]:
        call = _begin(method, context)
        try:
            async with aclosing(behavior(request, context)) as responses:
                async for response in responses:
                    yield response
        except BaseException as error:
            call.end(_code(call, context, error), error)
            raise
        call.end(_code(call, context, None))

    return observed


def _begin(method: str, context: Any) -> Served:
    metadata: Any = ()
    with guard.contained("integration"):
        metadata = [(_text(key), value) for key, value in context.invocation_metadata() or ()]
    call = Served(method, metadata)
    with guard.contained("integration"):
        if call.request_id:
            # A handler that sets its own trailing metadata replaces ours.
            context.set_trailing_metadata((("x-request-id", call.request_id),))
    with guard.contained("integration"):
        _notice_abort(call, context)
    return call


def _notice_abort(call: Served, context: Any) -> None:
    """Let `abort` tell that it was called: the plain server raises a bare Exception there."""
    if not hasattr(context, "__dict__"):
        return

    def noticing(end: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(end)
        def ended(*args: Any, **kwargs: Any) -> Any:
            call.aborted = True
            return end(*args, **kwargs)

        return ended

    for name in ("abort", "abort_with_status"):
        if hasattr(context, name):
            setattr(context, name, noticing(getattr(context, name)))


def _code(call: Served, context: Any, error: BaseException | None) -> str:
    with guard.contained("integration"):
        # asyncio's abort raises an error of its own, and may be called by a plain handler, too.
        call.aborted = call.aborted or any(kind.__name__ == "AbortError" for kind in type(error).__mro__)
        ended = _was_cut(call, context, error)
        if ended and not call.aborted:
            return ended
        name = code_name(context.code() if hasattr(context, "code") else None)
        # What the handler has set before it raised is what gRPC sends.
        return name if call.aborted or error is None or name != "OK" else "UNKNOWN"
    return "UNKNOWN"


def _was_cut(call: Served, context: Any, error: BaseException | None) -> str:
    """Return how the call was cut off from outside, "" when it was not.

    Our deadline started when the call arrived, the client's when it was sent: a client that gives up
    at its deadline reaches us just before ours, as a cancellation within the last tenth of the time.
    """
    cancelled = getattr(context, "cancelled", None)
    active = getattr(context, "is_active", None)
    left = error is not None and not isinstance(error, Exception)
    gone = left or bool(cancelled() if cancelled is not None else active is not None and not active())
    if not gone:
        return ""
    remaining = context.time_remaining() if hasattr(context, "time_remaining") else None
    if remaining is None:
        return "CANCELLED"
    return "DEADLINE_EXCEEDED" if remaining <= (call.seconds() + remaining) * 0.1 else "CANCELLED"


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
