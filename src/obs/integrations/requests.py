"""requests: duration by server, a client span, and our ids on the request.

Nothing of requests is imported. A session asks itself for the adapter of each request that it sends,
redirects included; what it gets from us is that adapter with a measured `send`.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from functools import wraps
from types import ModuleType
from typing import Any

from obs.integrations.outgoing import Call
from obs.runtime import guard

_MARK, _CALL = "_obs_instrumented", "_obs_call"


def instrument(target: Any) -> None:
    """Instrument one `requests.Session`, or the module: every session of it; a second time is harmless."""
    if target.__dict__.get(_MARK, False):
        return
    setattr(target, _MARK, True)
    owner: Any = target.Session if isinstance(target, ModuleType) else target
    find = owner.get_adapter

    @wraps(find)
    def get_adapter(*args: Any, **kwargs: Any) -> Any:
        adapter = find(*args, **kwargs)
        return adapter if isinstance(adapter, _Adapter) else _Adapter(adapter)

    owner.get_adapter = get_adapter


class _Adapter:
    """An adapter whose requests are measured; everything else is the adapter's own."""

    def __init__(self, adapter: Any) -> None:
        self._adapter = adapter

    def __getattr__(self, name: str) -> Any:
        return getattr(self._adapter, name)

    def send(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Send one request."""
        call = Call(str(request.method).upper(), str(request.url), request.headers)
        try:
            response = self._adapter.send(request, *args, **kwargs)
        except BaseException as error:
            call.finish(error)
            raise
        with guard.contained("integration"):
            call.answered(response.status_code)
            if response.is_redirect:
                call.withdraw(request.headers)
            _follow(response, call)
        return response


def _follow(response: Any, call: Call) -> None:
    """Finish the call when the body has been read to its end, was given up, or is forgotten."""
    weakref.finalize(response, call.finish).atexit = False
    setattr(response, _CALL, call)
    _patch(type(response))


def _patch(kind: Any) -> None:
    """Let responses tell when they have been read: by their class, for one that held itself would live too long."""
    if _MARK in kind.__dict__:
        return
    setattr(kind, _MARK, True)
    parts, shut = kind.iter_content, kind.close

    @wraps(parts)
    def iter_content(response: Any, *args: Any, **kwargs: Any) -> Iterator[Any]:
        found = parts(response, *args, **kwargs)
        call = response.__dict__.get(_CALL)
        return found if call is None else _finishing(found, call)

    @wraps(shut)
    def close(response: Any) -> None:
        call = response.__dict__.get(_CALL)
        if call is not None:
            call.finish()
        shut(response)

    kind.iter_content, kind.close = iter_content, close


def _finishing(parts: Iterator[Any], call: Call) -> Iterator[Any]:
    try:
        yield from parts
    except Exception as error:
        call.finish(error)
        raise
    call.finish()
