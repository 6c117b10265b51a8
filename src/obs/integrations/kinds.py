"""Find what kind of thing is to be instrumented, without importing any framework."""

from __future__ import annotations

import importlib
from typing import Any, NamedTuple

from obs.errors import ConfigError


class _Kind(NamedTuple):
    #: Qualified name of a class among the target's bases.
    base: str
    #: Module under obs.integrations whose `instrument` does the work.
    module: str
    called: str


#: The most specific first: a FastAPI application is a Starlette one too.
_KINDS = (
    _Kind("fastapi.applications.FastAPI", "fastapi", "a FastAPI application"),
    _Kind("starlette.applications.Starlette", "starlette", "a Starlette application"),
    _Kind("httpx.AsyncClient", "httpx", "an httpx.AsyncClient"),
    _Kind("httpx.Client", "httpx", "an httpx.Client"),
)


def instrument(target: Any, /) -> None:
    """Instrument `target`: a FastAPI or Starlette application, an httpx client.

    An application must not have started yet. A second time is harmless.
    Raises `ConfigError` (an `ObsError`) for anything else, naming what is supported.
    """
    bases = {f"{base.__module__}.{base.__qualname__}" for base in type(target).__mro__}
    for kind in _KINDS:
        if kind.base in bases:
            importlib.import_module(f"obs.integrations.{kind.module}").instrument(target)
            return
    supported = ", ".join(kind.called for kind in _KINDS)
    wrap = "an ASGI application of another kind can be wrapped: obs.integrations.asgi.Middleware(app)"
    raise ConfigError(f"cannot instrument {_name(target)}; supported are {supported}", hint=wrap)


def _name(target: Any) -> str:
    kind = target if isinstance(target, type) else type(target)
    what = "the class" if isinstance(target, type) else "an object of type"
    return f"{what} {kind.__module__}.{kind.__qualname__}"
