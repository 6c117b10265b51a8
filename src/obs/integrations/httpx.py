"""httpx clients: duration by server, a client span, and our ids on the request.

Nothing of httpx is imported, and nothing private of it is used: hooks see each request that is sent,
redirects and the rounds of an authentication included; `send` sees what fails and when a body ends.
"""

from __future__ import annotations

import weakref
from contextvars import ContextVar
from functools import wraps
from types import ModuleType
from typing import Any

from obs.integrations.outgoing import Call
from obs.runtime import context, guard

_MARK, _HOOKED = "_obs_instrumented", "_obs_hooked"


class _Sending:
    """One `send`, which may take several requests; the last of them is the open one."""

    __slots__ = ("call", "client")

    def __init__(self, client: Any) -> None:
        self.client = client
        self.call: Call | None = None


_sending: ContextVar[_Sending | None] = ContextVar("obs_httpx_sending", default=None)


def instrument(target: Any) -> None:
    """Instrument one `httpx.Client` or `httpx.AsyncClient`, or the module: every client of it, at its first use.

    A second time is harmless.
    """
    if _MARK in target.__dict__:
        return
    if isinstance(target, ModuleType):
        for kind in (target.Client, target.AsyncClient):
            kind.send = _observed(kind.send, hasattr(kind, "aclose"))
    else:
        # Its own from here on; the module's is passed through.
        target.send = _observed(type(target).send, hasattr(target, "aclose")).__get__(target)
        _hook(target)
    setattr(target, _MARK, True)


def _observed(send: Any, asynchronous: bool) -> Any:
    """Return `send` of a class with its requests observed, for the class itself or for one instance."""
    if asynchronous:

        @wraps(send)
        async def observed_async(client: Any, request: Any, *, stream: bool = False, **kwargs: Any) -> Any:
            sending, token = _enter(client)
            try:
                response = await send(client, request, stream=stream, **kwargs)
            except BaseException as error:
                _end(sending, error)
                raise
            finally:
                context.leave(token)
            _close(sending, response, "aclose" if stream else "")
            return response

        return observed_async

    @wraps(send)
    def observed(client: Any, request: Any, *, stream: bool = False, **kwargs: Any) -> Any:
        sending, token = _enter(client)
        try:
            response = send(client, request, stream=stream, **kwargs)
        except BaseException as error:
            _end(sending, error)
            raise
        finally:
            context.leave(token)
        _close(sending, response, "close" if stream else "")
        return response

    return observed


def _enter(client: Any) -> tuple[_Sending, Any]:
    with guard.contained("integration"):
        _hook(client)
    outer = _sending.get()
    if outer is not None and outer.client is client and outer.call is None:
        # An instance that is instrumented itself, whose class is as well: one sending.
        return _Sending(client), _sending.set(outer)
    sending = _Sending(client)
    return sending, _sending.set(sending)


def _hook(client: Any) -> None:
    if _HOOKED in client.__dict__:
        return
    setattr(client, _HOOKED, True)
    hooks = {name: list(present) for name, present in client.event_hooks.items()}
    asynchronous = hasattr(client, "aclose")
    hooks.setdefault("request", []).append(_begin_async if asynchronous else _begin)
    # First, so that the status is noted before a hook of the host may raise.
    hooks.setdefault("response", []).insert(0, _answered_async if asynchronous else _answered)
    client.event_hooks = hooks


async def _begin_async(request: Any) -> None:
    _begin(request)


async def _answered_async(response: Any) -> None:
    _answered(response)


def _begin(request: Any) -> None:
    with guard.contained("integration"):
        sending = _sending.get()
        if sending is not None:
            if sending.call is not None:
                sending.call.withdraw(request.headers)
            _end(sending, None)
            sending.call = Call(request.method, str(request.url), request.headers)


def _answered(response: Any) -> None:
    with guard.contained("integration"):
        sending = _sending.get()
        if sending is not None and sending.call is not None:
            sending.call.answered(response.status_code)


def _end(sending: _Sending, error: BaseException | None) -> None:
    call, sending.call = sending.call, None
    if call is not None:
        call.finish(error)


def _close(sending: _Sending, response: Any, closing: str) -> None:
    """End the call now, or when the streamed body has been read or given up (httpx closes it then)."""
    call = sending.call
    if not closing or call is None:
        _end(sending, None)
        return
    with guard.contained("integration"):
        # For whoever never closes it.
        weakref.finalize(response, call.finish).atexit = False
        response.extensions[_MARK] = call
        _patch(type(response), closing)


def _patch(kind: Any, closing: str) -> None:
    """Let responses tell when they are closed: by their class, for one that held itself would live too long."""
    close = getattr(kind, closing)
    if hasattr(close, _MARK):
        return

    if closing == "aclose":

        @wraps(close)
        async def closed_async(response: Any) -> None:
            _closed(response)
            await close(response)

        setattr(closed_async, _MARK, True)
        kind.aclose = closed_async
    else:

        @wraps(close)
        def closed(response: Any) -> None:
            _closed(response)
            close(response)

        setattr(closed, _MARK, True)
        kind.close = closed


def _closed(response: Any) -> None:
    call = response.extensions.get(_MARK)
    if isinstance(call, Call):
        call.finish()
