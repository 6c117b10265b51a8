"""Starlette: the middleware outermost, and route templates, those of mounts included."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from obs.errors import ConfigError
from obs.integrations.asgi import Middleware
from obs.integrations.asgi_types import Scope

_MARK = "_obs_instrumented"
#: Where FastAPI notes the route of an included router, whose own path lacks the prefixes.
_FASTAPI, _CONTEXT = "fastapi", "effective_route_context"
#: Names of `starlette.routing.Match`, compared by name so that Starlette need not be imported.
_FULL, _PARTIAL = "FULL", "PARTIAL"


def instrument(app: Any, *, exclude: tuple[str, ...] = ()) -> None:
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
        return Middleware(build(), resolve=partial(template, app), exclude=exclude)

    app.build_middleware_stack = outermost
    setattr(app, _MARK, True)


def template(app: Any, scope: Scope, root_path: str) -> str:
    """Return the route template of a request that `app` has served, "" when no route took it.

    `root_path` is the one from before routing: a mount changes it, and the route that is then left
    in the scope knows only its own part of the path, so the tree is walked once more.
    """
    if "endpoint" not in scope:
        return ""
    if scope.get("root_path", "") == root_path:
        context = scope.get(_FASTAPI, {}).get(_CONTEXT)
        route = context if context is not None else scope.get("route")
        if route is not None:
            return str(getattr(route, "path_format", "") or getattr(route, "path", ""))
    start = {
        "type": scope["type"],
        "method": scope.get("method", "GET"),
        "path": scope["path"],
        "root_path": root_path,
        "headers": scope["headers"],
        "path_params": {},
    }
    return _walk(app.routes, start)[1]


def _walk(routes: Iterable[Any], scope: dict[str, Any]) -> tuple[str, str]:
    """Return how `routes` match `scope` ("" for not at all), and the template below this point."""
    half = ""
    for route in routes:
        matched, below = _match(route, scope)
        if matched == _FULL:
            return matched, below
        if matched == _PARTIAL and not half:
            half = below
    return (_PARTIAL, half) if half else ("", "")


def _match(route: Any, scope: dict[str, Any]) -> tuple[str, str]:
    included = getattr(route, "effective_candidates", None)
    if included is not None:
        return _walk(_contexts(route), scope)
    match, child = route.matches(scope)
    if match.name not in {_FULL, _PARTIAL}:
        return "", ""
    path = str(getattr(route, "path", ""))
    inner = getattr(route, "routes", None)
    if inner is None:
        return match.name, str(getattr(route, "path_format", path))
    if not inner:
        # A mounted application without routes of its own, such as static files.
        return match.name, f"{path}/{{path}}"
    below = _walk(inner, {**scope, **child})[1]
    # The mount took the request, whether or not something inside answers it.
    return match.name, path + below if below else ""


def _contexts(included: Any) -> Iterable[Any]:
    return [_Included(context) for context in included.effective_route_contexts()]


class _Included:
    """A route of a router that FastAPI includes, seen with the prefixes that were given to it."""

    def __init__(self, context: Any) -> None:
        self._context = context
        route = getattr(context, "starlette_route", None)
        self.path = str(getattr(route, "path", "") or context.path_format)
        self.path_format = str(getattr(route, "path_format", "") or context.path_format)
        # A mount inside of an included router.
        self.routes = getattr(route, "routes", None)
        self._route = route

    def matches(self, scope: dict[str, Any]) -> Any:
        if self._route is not None:
            return self._route.matches(scope)
        inner = {**scope, _FASTAPI: {_CONTEXT: self._context}}
        return self._context.original_route.matches(inner)
