"""The same in one pass for WSGI: metrics, span, access line and ids of a request."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from types import TracebackType
from typing import Any, TypeAlias

from obs.integrations import nested
from obs.integrations.arrival import NOTHING, UNMATCHED, UNREADABLE, Head, Incoming
from obs.integrations.asgi_types import Scope
from obs.integrations.exchange import Exchange
from obs.integrations.paths import Paths
from obs.integrations.wsgi_body import Body
from obs.runtime import endpoints, guard, live
from obs.runtime.context import Client

Environ: TypeAlias = dict[str, Any]
Headers: TypeAlias = list[tuple[str, str]]
Failure: TypeAlias = (
    "tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None] | None"
)
#: `start_response(status, headers, exc_info=None)`, which answers with a `write` that few use.
Start: TypeAlias = Callable[..., Callable[[bytes], object]]
App: TypeAlias = Callable[[Environ, Start], Iterable[bytes]]
#: From the environ after the request to the route template, "" for none.
Resolver: TypeAlias = Callable[[Environ], str]
#: From the environ and a body to whether all of it is made already.
Judge: TypeAlias = Callable[[Environ, object], bool]

#: Where the environ holds the exchange of a request that is being observed.
EXCHANGE = "obs.exchange"
#: And the path under which a server serves us, before a dispatcher inside has taken its part.
ROOT = "obs.root"
_GIVEN = ("HTTP_X_REQUEST_ID", "HTTP_X_CORRELATION_ID", "HTTP_TRACEPARENT", "HTTP_TRACESTATE", "HTTP_BAGGAGE")
_INTERNAL_ERROR = b"Internal Server Error"
_ERROR_HEADERS = (
    ("Content-Type", "text/plain; charset=utf-8"),
    ("Content-Length", str(len(_INTERNAL_ERROR))),
)


def no_route(environ: Environ) -> str:  # noqa: ARG001 - a Resolver
    """Return no template: a bare WSGI application has no routes that could be named."""
    return ""


def is_whole(environ: Environ, body: object) -> bool:  # noqa: ARG001 - a Judge
    """Tell whether nothing of `body` is still to be made; servers ask for the length of these types."""
    return isinstance(body, (list, tuple))


class Middleware:
    """Wraps a WSGI application; put it outermost.

    `exclude` holds paths, without a slash at their end, that are served but not observed. With
    `answers`, an application that raises before its response has begun is answered for, so that the
    500 has ids as well; its error still reaches the server.

    uWSGI wants two of its options: `lazy-apps`, else each worker's `/metrics` tells of that worker alone,
    and `disable-write-exception`, else each client that leaves early is an unhandled exception.
    """

    def __init__(
        self,
        app: App,
        *,
        resolve: Resolver = no_route,
        exclude: tuple[str, ...] = (),
        answers: bool = True,
        whole: Judge = is_whole,
    ) -> None:
        self.app = app
        self._paths = Paths(exclude)
        self._resolve = resolve
        self._answers = answers
        self._whole = whole
        nested.expect()

    def __call__(self, environ: Environ, start_response: Start) -> Iterable[bytes]:
        """Serve one request; the application's errors pass through unchanged."""
        settings = live.settings()
        if settings is None or EXCHANGE in environ:
            return self.app(environ, start_response)
        scope = nested.outer(environ)
        if scope is not None:
            return self._serve_below(scope, environ, start_response)
        path = environ.get("PATH_INFO", "")
        endpoint = self._paths.endpoint(settings, path)
        if endpoint and environ["REQUEST_METHOD"] in {"GET", "HEAD"}:
            return _answer(endpoint, environ, start_response)
        if self._paths.excludes(path):
            return self.app(environ, start_response)
        return self._serve(Exchange(settings, _head(environ)), environ, start_response)

    def _serve_below(self, scope: Scope, environ: Environ, start_response: Start) -> Iterable[bytes]:
        """Serve a request that an ASGI application around this one observes; it lacks our route only."""
        exchange = environ[EXCHANGE] = scope[nested.SEEN]
        environ[ROOT] = nested.root(scope)
        try:
            return self.app(environ, start_response)
        finally:
            with guard.contained("integration"):
                exchange.inner_route = self._resolve(environ)

    def _serve(self, exchange: Exchange, environ: Environ, start_response: Start) -> Iterable[bytes]:
        environ[EXCHANGE], environ[ROOT] = exchange, environ.get("SCRIPT_NAME", "")

        def start(status: str, headers: Headers, exc_info: Failure = None) -> Callable[[bytes], object]:
            exchange.starts(_code(status))
            if exc_info is not None and exc_info[1] is not None and exchange.status >= 500:
                # An error page of the application's own: it has caught what nobody had handled.
                exchange.failed(exc_info[1], self._route(environ))
            given = (exc_info,) if exc_info is not None else ()
            return start_response(status, _with_ids(headers, exchange), *given)

        def route() -> str:
            return self._route(environ)

        def fail(error: Exception) -> Iterator[bytes]:
            """Answer for a failed application of which no byte was sent, or let the server do that."""
            exchange.failed(error, route())
            # Needed to take back an answer that was begun; uWSGI would raise it there and then.
            replaced = (sys.exc_info(),) if exchange.started else ()
            exchange.starts(500)
            try:
                if not self._answers:
                    raise error
                start("500 Internal Server Error", list(_ERROR_HEADERS), *replaced)
                return _then_raise(error)
            finally:
                # Else this frame and the error's traceback would hold each other.
                del error, replaced

        try:
            try:
                body = self.app(environ, start)
            except Exception as error:
                body = fail(error)
        except BaseException:
            exchange.end(route())
            raise
        if self._whole(environ, body):
            exchange.completes()
            exchange.end(route())
            return body
        observed = Body(body, exchange, route, fail)
        wrapper = environ.get("wsgi.file_wrapper")
        if isinstance(wrapper, type) and isinstance(body, wrapper):
            # The server sends a file by itself when it gets this very type.
            return observed.by_its_close()
        return observed

    def _route(self, environ: Environ) -> str:
        try:
            return self._resolve(environ) or UNMATCHED
        except Exception as error:
            guard.report("integration", error)
            return UNMATCHED


def _then_raise(error: Exception) -> Iterator[bytes]:
    yield _INTERNAL_ERROR
    try:
        raise error
    finally:
        # Else this frame and the error's traceback would hold each other, and the request with them.
        del error


def incoming(environ: Environ) -> Incoming:
    """Return the correlation headers of a request in WSGI's form, which Django uses everywhere."""
    if any(name in environ for name in _GIVEN):
        return Incoming(*(environ.get(name, "") for name in _GIVEN))
    return NOTHING


def caller(environ: Environ) -> Client:
    """Return who sent a request."""
    return Client(environ.get("REMOTE_ADDR") or "", environ.get("HTTP_USER_AGENT", ""))


def _with_ids(headers: Headers, exchange: Exchange) -> Headers:
    """Return `headers` with the ids that are not among them."""
    try:
        present = {name.lower() for name, _ in headers}
        return [*headers, *(item for item in exchange.headers() if item[0] not in present)]
    except Exception as error:
        guard.report("integration", error)
        return headers


def _head(environ: Environ) -> Head:
    try:
        return _read(environ)
    except Exception as error:
        guard.report("integration", error)
        return UNREADABLE


def _read(environ: Environ) -> Head:
    path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    if not path.isascii():
        # WSGI hands over bytes as Latin-1.
        path = path.encode("latin-1", "replace").decode("utf-8", "replace")
    scheme = environ.get("wsgi.url_scheme", "http")
    return Head(environ["REQUEST_METHOD"], path, scheme, caller(environ), incoming(environ))


def _code(status: str) -> int:
    try:
        return int(status[:3])
    except (TypeError, ValueError):
        return 500


def _answer(endpoint: str, environ: Environ, start_response: Start) -> Iterable[bytes]:
    response = endpoints.answer_in_thread(
        endpoint, environ.get("HTTP_ACCEPT", ""), environ.get("HTTP_ACCEPT_ENCODING", "")
    )
    status = f"{response.status} {HTTPStatus(response.status).phrase}"
    start_response(status, list(response.headers))
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [response.body]
