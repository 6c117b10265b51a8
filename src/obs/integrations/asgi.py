"""One fused ASGI middleware: metrics, span, access line and ids of a request in a single pass.

Separate layers for each of these cost several times as much and disagree about what happened.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, TypeAlias

from obs.integrations.exchange import UNMATCHED, Exchange
from obs.runtime import draining, endpoints, guard, live, setup
from obs.runtime.settings import Settings

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]
#: From the scope after the request and the root path before it to the route template, "" for none.
Resolver: TypeAlias = Callable[[Scope, str], str]

_SEEN = "obs.exchange"
_INTERNAL_ERROR = b"Internal Server Error"


def no_route(scope: Scope, root_path: str) -> str:  # noqa: ARG001 - a Resolver
    """Return no template: a bare ASGI application has no routes that could be named."""
    return ""


class Middleware:
    """Wraps an ASGI application; put it outermost, before the application starts.

    `exclude` holds paths, without a slash at their end, that are served but not observed.
    """

    def __init__(self, app: App, *, resolve: Resolver = no_route, exclude: tuple[str, ...] = ()) -> None:
        self.app = app
        self._excluded = exclude
        self._below = tuple(f"{path}/" for path in exclude)
        self._resolve = resolve
        self._settings: Settings | None = None
        self._paths: dict[str, str] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection; the application's errors pass through unchanged."""
        settings = live.settings()
        kind = scope["type"]
        if kind == "lifespan":
            await self._lifespan(scope, receive, send)
        elif kind != "http" or settings is None or _SEEN in scope:
            await self.app(scope, receive, send)
        else:
            if settings is not self._settings:
                self._settings, self._paths = settings, endpoints.paths(settings)
            path = _own_path(scope)
            endpoint = self._paths.get(path)
            if endpoint is not None and scope["method"] in {"GET", "HEAD"}:
                await _answer(endpoint, scope, send)
            elif path in self._excluded or path.startswith(self._below):
                await self.app(scope, receive, send)
            else:
                await self._serve(settings, scope, receive, send)

    async def _serve(self, settings: Settings, scope: Scope, receive: Receive, send: Send) -> None:
        root_path = scope.get("root_path", "")
        scope[_SEEN] = True
        exchange = Exchange(settings, scope)

        async def watch() -> Message:
            message = await receive()
            if message["type"] == "http.disconnect":
                exchange.disconnected()
            return message

        async def reply(message: Message) -> None:
            kind = message["type"]
            if kind == "http.response.start":
                exchange.starts(message)
            elif kind == "http.response.body" and not message.get("more_body", False):
                exchange.completes()
            await send(message)

        error: BaseException | None = None
        try:
            await self.app(scope, watch, reply)
        except Exception as raised:
            error = raised
            exchange.failed(raised, self._route(scope, root_path))
            if not exchange.started and not exchange.gone:
                # Like Starlette's own outermost layer, so that a bare application's 500 has ids too.
                await _send_error(reply)
            raise
        except BaseException as raised:
            error = raised
            raise
        finally:
            exchange.end(self._route(scope, root_path), error)

    def _route(self, scope: Scope, root_path: str) -> str:
        try:
            return self._resolve(scope, root_path) or UNMATCHED
        except Exception as error:
            guard.report("integration", error)
            return UNMATCHED

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def watch() -> Message:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                draining.begin()
            if message["type"] == "lifespan.startup":
                draining.end()
                # By now the server has configured its loggers.
                setup.adopt_servers()
            return message

        async def reply(message: Message) -> None:
            if message["type"] in {"lifespan.shutdown.complete", "lifespan.shutdown.failed"}:
                # The flush may wait for a collector; the event loop must not wait with it.
                with guard.contained("traces"):
                    await asyncio.get_running_loop().run_in_executor(None, setup.flush)
            await send(message)

        await self.app(scope, watch, reply)


def _own_path(scope: Scope) -> str:
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    # Since ASGI 2.4 the path includes the root path under which a proxy serves us.
    return path[len(root) :] if root and path.startswith(root + "/") else path


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
