"""One fused ASGI middleware: metrics, span, access line and ids of a request in a single pass.

Separate layers for each of these cost several times as much and disagree about what happened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

from obs.integrations import nested
from obs.integrations.arrival import NOTHING, UNMATCHED, UNREADABLE, Arrival, Head, Incoming
from obs.integrations.asgi_types import App, Message, Receive, Scope, Send
from obs.integrations.exchange import Exchange
from obs.integrations.lifespan import Lifespan
from obs.integrations.paths import Paths
from obs.integrations.websocket import Connection
from obs.runtime import endpoints, guard, live
from obs.runtime.context import Client
from obs.runtime.settings import Settings

#: From the scope after the request and the root path before it to the route template, "" for none.
Resolver: TypeAlias = Callable[[Scope, str], str]

#: Where FastAPI (0.142 and later) keeps the telemetry of a request; it makes none where this is set.
_FASTAPI = "fastapi.telemetry"
_INTERNAL_ERROR = b"Internal Server Error"
_GIVEN = (b"x-request-id", b"x-correlation-id", b"traceparent", b"tracestate", b"baggage")
_GIVEN_NAMES = frozenset(_GIVEN)
_OURS = frozenset({b"x-request-id", b"x-correlation-id", b"traceparent"})
#: What the constructor of a named tuple ends in, without the rest of it: this is on every request's path.
_tuple = tuple.__new__
#: What uvloop says, as a RuntimeError, of a connection that a client has reset.
_UVLOOP_CLOSED = "the handler is closed"
_LAST = frozenset({"http.response.body", "http.response.pathsend"})


def no_route(scope: Scope, root_path: str) -> str:  # noqa: ARG001 - a Resolver
    """Return no template: a bare ASGI application has no routes that could be named."""
    return ""


class Middleware:
    """Wraps an ASGI application; put it outermost, before the application starts.

    `exclude` holds paths, without a slash at their end, that are served but not observed.
    """

    def __init__(self, app: App, *, resolve: Resolver = no_route, exclude: tuple[str, ...] = ()) -> None:
        self.app = app
        self._paths = Paths(exclude)
        self._resolve = resolve

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection; the application's errors pass through unchanged."""
        settings = live.settings()
        kind = scope["type"]
        if kind == "lifespan":
            await Lifespan(receive, send).run(self.app, scope)
        elif settings is None or nested.SEEN in scope or kind not in {"http", "websocket"}:
            await self.app(scope, receive, send)
        else:
            path = _own_path(scope) if scope.get("root_path") else scope["path"]
            endpoint = self._paths.endpoint(settings, path)
            if endpoint and kind == "http" and scope["method"] in {"GET", "HEAD"}:
                await _answer(endpoint, scope, send)
            elif self._paths.excludes(path):
                await self.app(scope, receive, send)
            elif kind == "http":
                await self._serve(settings, scope, receive, send)
            else:
                await self._converse(settings, scope, receive, send)

    async def _serve(  # noqa: C901 - two closures and one try; parts of their own would cost a call each
        self, settings: Settings, scope: Scope, receive: Receive, send: Send
    ) -> None:
        root_path = scope.get("root_path", "")
        exchange = scope[nested.SEEN] = Exchange(settings, _head(scope))
        mark = nested.enter(scope)

        async def watch() -> Message:
            message = await receive()
            if message["type"] == "http.disconnect":
                exchange.disconnected()
            return message

        async def reply(message: Message) -> None:
            kind = message["type"]
            if kind == "http.response.start":
                exchange.starts(message.get("status", 500))
                _add_ids(message, exchange)
            try:
                await send(message)
            except OSError as raised:
                # Since ASGI 2.4 this is how a server says that nobody listens any more.
                exchange.disconnected(raised)
                raise
            if kind in _LAST and not message.get("more_body", False):
                exchange.completes()
                # The error behind a failed request is yet to come; all else is known, and background
                # work must neither delay the record nor be counted as part of the request.
                if exchange.status < 500:
                    exchange.record(self._route(scope, root_path, exchange.inner_route))

        error: BaseException | None = None
        try:
            await self.app(scope, watch, reply)
        except Exception as raised:
            error = raised
            exchange.failed(raised, self._route(scope, root_path, exchange.inner_route))
            if not exchange.started and not exchange.gone:
                # Like Starlette's own outermost layer, so that a bare application's 500 has ids too.
                await _send_error(reply)
            raise
        except BaseException as raised:
            error = raised
            raise
        finally:
            if not exchange.recorded:
                exchange.record(self._route(scope, root_path, exchange.inner_route), error)
            exchange.leave()
            nested.leave(mark)
            # Else this frame and the error's traceback would hold each other.
            error = None

    async def _converse(self, settings: Settings, scope: Scope, receive: Receive, send: Send) -> None:
        root_path = scope.get("root_path", "")
        connection = Connection(settings, _head(scope))

        async def watch() -> Message:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                connection.closes(message.get("code") or 1005, by="client")
            return message

        async def reply(message: Message) -> None:
            kind = message["type"]
            if kind == "websocket.accept":
                connection.accepts()
                _add_ids(message, connection)
            elif kind == "websocket.http.response.start":
                connection.refuses(message.get("status", 500))
                _add_ids(message, connection)
            elif kind == "websocket.close":
                connection.closes(message.get("code") or 1000, by="server")
            try:
                await send(message)
            except (OSError, RuntimeError) as raised:
                # As with a response: nobody listens any more. Under gunicorn it may be uvloop that says so.
                if isinstance(raised, OSError) or _UVLOOP_CLOSED in str(raised):
                    connection.disconnected(raised)
                raise

        try:
            await self.app(scope, watch, reply)
        except Exception as error:
            connection.failed(error, self._route(scope, root_path))
            raise
        finally:
            connection.end(self._route(scope, root_path))

    def _route(self, scope: Scope, root_path: str, inner: str = "") -> str:
        try:
            route = self._resolve(scope, root_path)
            if inner:
                route = nested.joined(route, inner, mounted=scope.get("root_path", "") != root_path)
        except Exception as error:
            guard.report("integration", error)
            return UNMATCHED
        return route or UNMATCHED


def _head(scope: Scope) -> Head:
    """Return what `scope` says about the request, and mark it as seen."""
    scope[nested.SEEN] = True
    # Where FastAPI traces already, that span is the request's; else it is told not to, in mounts as well.
    own_span = scope.setdefault(_FASTAPI, None) is None
    try:
        return _read(scope, own_span)
    except Exception as error:
        guard.report("integration", error)
        return UNREADABLE


def _read(scope: Scope, own_span: bool) -> Head:
    headers = dict(scope["headers"])
    peer = scope.get("client")
    agent = headers.get(b"user-agent", b"").decode("latin-1")
    given = NOTHING
    if not _GIVEN_NAMES.isdisjoint(headers):
        given = Incoming(*(headers.get(name, b"").decode("latin-1") for name in _GIVEN))
    client = _tuple(Client, (peer[0] if peer else "", agent))
    method, scheme = scope.get("method", "GET"), scope.get("scheme", "http")
    return _tuple(Head, (method, scope["path"], scheme, client, given, own_span))


def _add_ids(message: Message, arrival: Arrival) -> None:
    """Add the ids to the headers of `message`, where it has none of its own."""
    # Any iterable is allowed, one that can be walked only once as well.
    present = message["headers"] = list(message.get("headers") or ())
    try:
        ours = arrival.raw_headers()
        names = [name.lower() for name, _ in present]
        if not _OURS.isdisjoint(names):
            ours = [item for item in ours if item[0] not in names]
        message["headers"] = present + ours
    except Exception as error:
        guard.report("integration", error)


def _own_path(scope: Scope) -> str:
    path, root = str(scope["path"]), str(scope["root_path"])
    # Since ASGI 2.4 the path includes the root path under which a proxy serves us.
    return path[len(root) :] if path.startswith(root + "/") else path


async def _answer(endpoint: str, scope: Scope, send: Send) -> None:
    accept = _header(scope["headers"], b"accept")
    response = await endpoints.answer(endpoint, accept, _header(scope["headers"], b"accept-encoding"))
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in response.headers]
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    body = b"" if scope["method"] == "HEAD" else response.body
    await send({"type": "http.response.body", "body": body})


def _header(headers: Iterable[tuple[bytes, bytes]], wanted: bytes) -> str:
    return ", ".join(value.decode("latin-1") for name, value in headers if name == wanted)


async def _send_error(reply: Send) -> None:
    length = str(len(_INTERNAL_ERROR)).encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", length)]
    try:
        await reply({"type": "http.response.start", "status": 500, "headers": headers})
        await reply({"type": "http.response.body", "body": _INTERNAL_ERROR})
    except Exception as error:
        # The client is gone or the server is in no state to answer: the application's error matters more.
        guard.report("integration", error)
