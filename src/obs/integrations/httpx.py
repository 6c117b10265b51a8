"""httpx clients: duration by server, a client span, and our ids on the request.

Nothing of httpx is imported: a client's own hooks and transport are all that is needed.
"""

from __future__ import annotations

from typing import Any

from obs.catalogue import http
from obs.runtime import clock, context, guard, live, traces
from obs.runtime.instruments import counter, histogram

DURATION = histogram(http.CLIENT_DURATION)
REQUESTS = counter(http.CLIENT_REQUESTS)

_MARK = "_obs_instrumented"
_METHODS = frozenset(http.METHODS)


def instrument(client: Any) -> None:
    """Instrument one `httpx.Client` or `httpx.AsyncClient`; a second time is harmless."""
    if getattr(client, _MARK, False):
        return
    setattr(client, _MARK, True)
    # The method that sends exactly one request: redirects are requests of their own.
    send = client._send_single_request  # noqa: SLF001 - event hooks cannot see a failed connection

    if hasattr(client, "aclose"):

        async def send_later(request: Any) -> Any:
            call = _Call(request)
            try:
                response = await send(request)
            except BaseException as error:
                call.end(0, error)
                raise
            call.end(response.status_code, None)
            return response

        client._send_single_request = send_later  # noqa: SLF001
    else:

        def send_now(request: Any) -> Any:
            call = _Call(request)
            try:
                response = send(request)
            except BaseException as error:
                call.end(0, error)
                raise
            call.end(response.status_code, None)
            return response

        client._send_single_request = send_now  # noqa: SLF001


class _Call:
    """One outgoing request, until the head of its response is there."""

    def __init__(self, request: Any) -> None:
        self._start = clock.elapsed()
        self._method = request.method if request.method in _METHODS else "_OTHER"
        self._address = request.url.host
        self._span: live.Span | None = None
        with guard.contained("integration"):
            self._open(request)

    def _open(self, request: Any) -> None:
        attributes = {
            "http.request.method": self._method,
            "server.address": self._address,
            # Without the query, which is where tokens travel.
            "url.full": str(request.url.copy_with(query=None, fragment=None, username=None, password=None)),
        }
        if request.url.port:
            attributes["server.port"] = request.url.port
        self._span = traces.start(self._method, "client", attributes)
        for name, value in context.inject().items():
            # What the caller set explicitly stays.
            request.headers.setdefault(name, value)

    def end(self, status: int, error: BaseException | None) -> None:
        """Record the call, answered or failed."""
        with guard.contained("integration"):
            values = (
                self._method,
                self._address,
                str(status) if status else "",
                type(error).__name__ if error is not None else str(status) if status >= 400 else "",
            )
            DURATION.series(values).observe(clock.elapsed() - self._start)
            REQUESTS.series(values).inc()
            if self._span is not None and status:
                self._span.set({"http.response.status_code": status})
                if status >= 400:
                    self._span.fail(None)
        traces.end(self._span, error)
