"""Django, plain and asynchronous: one middleware that is first in `settings.MIDDLEWARE`.

    MIDDLEWARE = ["obs.integrations.django.Middleware", ...]

`obs.instrument(application)` puts the same one around a handler of `get_wsgi_application()` or
`get_asgi_application()`; in the settings it also works under runserver and in Django's test client.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextvars import copy_context
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.core.handlers.base import BaseHandler
from django.core.signals import got_request_exception
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from obs.integrations import nested
from obs.integrations.arrival import UNMATCHED, UNREADABLE, Head
from obs.integrations.django_routes import simplified
from obs.integrations.exchange import Exchange
from obs.integrations.paths import Paths
from obs.integrations.wsgi import caller, incoming
from obs.runtime import endpoints, guard, live, logger
from obs.runtime.settings import Settings

_EXCHANGE = "_obs_exchange"


class Middleware:
    """Observes each request; put it first in `settings.MIDDLEWARE`.

    A subclass may name paths in `exclude`, without a slash at their end, that are served but not
    observed.
    """

    sync_capable = True
    async_capable = True
    exclude: tuple[str, ...] = ()

    def __init__(
        self, get_response: Callable[[HttpRequest], Any], *, exclude: tuple[str, ...] | None = None
    ) -> None:
        self.get_response = get_response
        self._asynchronous = iscoroutinefunction(get_response)
        if self._asynchronous:
            markcoroutinefunction(self)
        self._paths = Paths(self.exclude if exclude is None else exclude)
        nested.expect()
        got_request_exception.connect(_failed, dispatch_uid="obs")

    def __call__(self, request: HttpRequest) -> Any:
        """Serve one request, or return what does so when awaited."""
        settings = live.settings()
        if settings is None or hasattr(request, _EXCHANGE):
            return self.get_response(request)
        outer = _outer(request)
        if outer is not None:
            return (self._serve_below_later if self._asynchronous else self._serve_below)(outer, request)
        path = request.path_info
        endpoint = self._paths.endpoint(settings, path)
        if endpoint and request.method in {"GET", "HEAD"}:
            return _answer_later(endpoint, request) if self._asynchronous else _answer(endpoint, request)
        if self._paths.excludes(path):
            return self.get_response(request)
        return (self._serve_later if self._asynchronous else self._serve)(settings, request)

    def _serve(self, settings: Settings, request: HttpRequest) -> HttpResponseBase:
        exchange = _arrive(settings, request)
        try:
            response = self.get_response(request)
        except BaseException as error:
            _raised(exchange, request, error)
            raise
        return _observe(exchange, request, response)

    async def _serve_later(self, settings: Settings, request: HttpRequest) -> HttpResponseBase:
        exchange = _arrive(settings, request)
        try:
            response = await self.get_response(request)
        except BaseException as error:
            _raised(exchange, request, error)
            raise
        return _observe(exchange, request, response)

    def _serve_below(self, outer: Exchange, request: HttpRequest) -> HttpResponseBase:
        """Serve a request that an application around this one observes; it lacks our route only."""
        setattr(request, _EXCHANGE, outer)
        try:
            return _told(self.get_response(request))
        finally:
            outer.inner_route = _route(request, "")

    async def _serve_below_later(self, outer: Exchange, request: HttpRequest) -> HttpResponseBase:
        setattr(request, _EXCHANGE, outer)
        try:
            return _told(await self.get_response(request))
        finally:
            outer.inner_route = _route(request, "")


def instrument(handler: BaseHandler, *, exclude: tuple[str, ...] = ()) -> None:
    """Put the middleware around everything that `handler` does; a second time is harmless."""
    chain: Any = handler._middleware_chain  # noqa: SLF001 - its outermost layer
    if not isinstance(chain, Middleware):
        handler._middleware_chain = Middleware(chain, exclude=exclude)  # noqa: SLF001


def template(request: HttpRequest) -> str:
    """Return the route template of a request, "" when no route took it."""
    match = request.resolver_match
    return simplified(str(match.route)) if match is not None and match.route is not None else ""


def _route(request: HttpRequest, unknown: str = UNMATCHED) -> str:
    try:
        return template(request) or unknown
    except Exception as error:
        guard.report("integration", error)
        return unknown


def _outer(request: HttpRequest) -> Exchange | None:
    """Return the exchange of a request that an ASGI application around this one observes; else None."""
    scope = getattr(request, "scope", None)
    if scope is None:
        scope = nested.outer(request.META)
    found = scope.get(nested.SEEN) if scope is not None else None
    return found if isinstance(found, Exchange) else None


def _arrive(settings: Settings, request: HttpRequest) -> Exchange:
    head = UNREADABLE
    with guard.contained("integration"):
        head = Head(
            request.method or "",
            request.path,
            # It raises where SECURE_PROXY_SSL_HEADER is no pair.
            request.scheme or "http",
            caller(request.META),
            incoming(request.META),
        )
    exchange = Exchange(settings, head)
    setattr(request, _EXCHANGE, exchange)
    return exchange


def _failed(request: HttpRequest | None = None, **_: Any) -> None:
    """Report an error of which the server sees nothing but Django's answer."""
    error = sys.exc_info()[1]
    exchange: Exchange | None = getattr(request, _EXCHANGE, None)
    if exchange is not None and request is not None and error is not None:
        exchange.failed(error, _route(request))


def _raised(exchange: Exchange, request: HttpRequest, error: BaseException) -> None:
    route = _route(request)
    if isinstance(error, Exception):
        exchange.failed(error, route)
    elif isinstance(error, asyncio.CancelledError):
        exchange.disconnected()
    exchange.end(route)


def _observe(exchange: Exchange, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    with guard.contained("integration"):
        exchange.starts(response.status_code)
        for name, value in exchange.headers():
            response.setdefault(name, value)
        _told(response)
    if response.streaming:
        with guard.contained("integration"):
            _Streaming(exchange, request, response)
            return response
    exchange.completes()
    exchange.end(_route(request))
    return response


def _told(response: HttpResponseBase) -> HttpResponseBase:
    """Return `response`; Django's own line about a 404 or a 503 would say the same as ours."""
    if _writes_lines():
        response._has_been_logged = True  # noqa: SLF001
    return response


def _writes_lines() -> bool:
    """Tell whether each request gets a line of ours."""
    settings = live.settings()
    return settings is not None and settings.access_log and logger.pipeline() is not None


class _Streaming:
    """A response whose body is still to be made: the request ends when Django closes it."""

    def __init__(self, exchange: Exchange, request: HttpRequest, response: Any) -> None:
        self._exchange = exchange
        self._request = request
        #: Whether the body has begun and may go on: who closes it then has left.
        self._open = False
        # Under ASGI Django closes a response in another task, which knows nothing of the request's ids.
        self._context = copy_context()
        response._resource_closers.append(self._close)  # noqa: SLF001 - Django has no signal for one response
        # A file is left alone, so that a server can send it by itself.
        if getattr(response, "file_to_stream", None) is None:
            steps: Any = self._later if response.is_async else self._now
            response.streaming_content = steps(response.streaming_content)

    def _now(self, content: Iterator[bytes]) -> Iterator[bytes]:
        self._open = True
        try:
            yield from content
        except Exception as error:
            self._fail(error)
            raise
        self._finish()

    async def _later(self, content: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        self._open = True
        try:
            async for part in content:
                yield part
        except Exception as error:
            self._fail(error)
            raise
        self._finish()

    def _fail(self, error: Exception) -> None:
        self._open = False
        self._exchange.failed(error, _route(self._request))

    def _finish(self) -> None:
        self._open = False
        self._exchange.completes()

    def _close(self) -> None:
        if self._open:
            self._exchange.disconnected()
        with guard.contained("integration"):
            self._context.run(self._exchange.record, _route(self._request))
        self._exchange.leave()


def _answer(endpoint: str, request: HttpRequest) -> HttpResponse:
    return _response(request, endpoints.answer_in_thread(endpoint, *_accepted(request)))


async def _answer_later(endpoint: str, request: HttpRequest) -> HttpResponse:
    answer: Awaitable[endpoints.Response] = endpoints.answer(endpoint, *_accepted(request))
    return _response(request, await answer)


def _accepted(request: HttpRequest) -> tuple[str, str]:
    return request.META.get("HTTP_ACCEPT", ""), request.META.get("HTTP_ACCEPT_ENCODING", "")


def _response(request: HttpRequest, answer: endpoints.Response) -> HttpResponse:
    body = b"" if request.method == "HEAD" else answer.body
    response = HttpResponse(body, status=answer.status, headers=dict(answer.headers))
    # Health that fails is our line, not one more of Django's.
    response._has_been_logged = True  # noqa: SLF001
    return response
