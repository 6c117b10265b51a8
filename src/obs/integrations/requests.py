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

_MARK = "_obs_instrumented"


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
    parts, close = response.iter_content, response.close

    @wraps(parts)
    def iter_content(*args: Any, **kwargs: Any) -> Iterator[Any]:
        return _finishing(parts(*args, **kwargs), call)

    @wraps(close)
    def closed() -> None:
        call.finish()
        close()

    response.iter_content, response.close = iter_content, closed


def _finishing(parts: Iterator[Any], call: Call) -> Iterator[Any]:
    try:
        yield from parts
    except Exception as error:
        call.finish(error)
        raise
    call.finish()
