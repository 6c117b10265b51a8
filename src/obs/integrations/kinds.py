"""Find what kind of thing is to be instrumented, without importing any framework."""

from __future__ import annotations

import importlib
from collections.abc import Collection
from types import ModuleType
from typing import Any, NamedTuple

from obs.errors import ConfigError


class _Kind(NamedTuple):
    #: Qualified name of a class among the target's bases.
    base: str
    #: Module under obs.integrations whose `instrument` does the work.
    module: str
    called: str
    #: Whether it serves paths, some of which can be excluded.
    serves: bool


#: The most specific first: a FastAPI application is a Starlette one too.
_KINDS = (
    _Kind("fastapi.applications.FastAPI", "fastapi", "a FastAPI application", serves=True),
    _Kind("starlette.applications.Starlette", "starlette", "a Starlette application", serves=True),
    _Kind("flask.app.Flask", "flask", "a Flask application", serves=True),
    _Kind("django.core.handlers.base.BaseHandler", "django", "a Django handler", serves=True),
    _Kind("httpx.AsyncClient", "httpx", "an httpx.AsyncClient", serves=False),
    _Kind("httpx.Client", "httpx", "an httpx.Client", serves=False),
    _Kind("module httpx", "httpx", "the module httpx", serves=False),
    _Kind("requests.sessions.Session", "requests", "a requests.Session", serves=False),
    _Kind("module requests", "requests", "the module requests", serves=False),
    _Kind("sqlalchemy.engine.base.Engine", "sqlalchemy", "a SQLAlchemy Engine", serves=False),
    _Kind("sqlalchemy.ext.asyncio.engine.AsyncEngine", "sqlalchemy", "an AsyncEngine", serves=False),
    _Kind("redis.client.Redis", "redis", "a redis.Redis", serves=False),
    _Kind("redis.asyncio.client.Redis", "redis", "a redis.asyncio.Redis", serves=False),
    _Kind("redis.cluster.RedisCluster", "redis", "a RedisCluster", serves=False),
    _Kind("redis.asyncio.cluster.RedisCluster", "redis", "a redis.asyncio.RedisCluster", serves=False),
    _Kind("celery.app.base.Celery", "celery", "a Celery application", serves=False),
    _Kind("module grpc", "grpc", "the module grpc", serves=False),
)

_GRPC = (
    "gRPC takes interceptors where a server or channel is made: call obs.instrument(grpc) before, or give it "
    "obs.integrations.grpc.server_interceptors() or client_interceptors(target)"
)


def instrument(target: Any, /, *, exclude: Collection[str] = ()) -> None:
    """Instrument `target`: an application, a database engine, a client, or a module whose clients are meant.

    Applications are those of FastAPI, Starlette, Flask, Django and Celery; then there are engines of
    SQLAlchemy, clients of redis-py and httpx, sessions of requests, and the modules `httpx`, `requests`
    and `grpc`, which stand for everything that is made of them from then on.

    An application must not have started yet. A second time is harmless. Requests whose path is one of
    `exclude`, or lies below it (``/admin`` covers ``/admin/users``), stay out of metrics, traces and
    access log; the application serves them as if obs were not there.

    Raises `ConfigError` (an `ObsError`) for anything else, naming what is supported, and for an
    `exclude` that cannot match.
    """
    bases = {f"{base.__module__}.{base.__qualname__}" for base in type(target).__mro__}
    if isinstance(target, ModuleType):
        bases.add(f"module {target.__name__}")
    for kind in _KINDS:
        if kind.base in bases:
            module = importlib.import_module(f"obs.integrations.{kind.module}")
            if kind.serves:
                module.instrument(target, exclude=_prefixes(exclude))
            elif exclude:
                raise ConfigError(f"{kind.called} serves no paths that could be excluded")
            else:
                module.instrument(target)
            return
    supported = ", ".join(kind.called for kind in _KINDS)
    wrap = (
        "applications of another kind can be wrapped: obs.integrations.asgi.Middleware(app) for ASGI, "
        "obs.integrations.wsgi.Middleware(app) for WSGI"
    )
    made = any(base.startswith(("grpc._server.", "grpc._channel.", "grpc.aio.")) for base in bases)
    hint = _GRPC if made else wrap
    raise ConfigError(f"cannot instrument {_name(target)}; supported are {supported}", hint=hint)


def _prefixes(exclude: object) -> tuple[str, ...]:
    if isinstance(exclude, str):
        raise ConfigError(
            f"exclude takes several paths, got the text {exclude!r}", hint=f"exclude=({exclude!r},)"
        )
    if not isinstance(exclude, Collection):
        raise ConfigError(f"exclude takes several paths, got {exclude!r}")
    return tuple(_prefix(path) for path in exclude)


def _prefix(path: object) -> str:
    if not isinstance(path, str) or not path.startswith("/") or path == "/":
        raise ConfigError(f"exclude takes paths such as '/admin', got {path!r}")
    return path.rstrip("/")


def _name(target: Any) -> str:
    kind = target if isinstance(target, type) else type(target)
    what = "the class" if isinstance(target, type) else "an object of type"
    return f"{what} {kind.__module__}.{kind.__qualname__}"
