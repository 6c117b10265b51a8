"""A WSGI application below an ASGI one, through an adapter: the request has been seen already.

An adapter makes an environ of the scope, in which nothing of ours is left: neither our mark nor the exchange.
"""

from __future__ import annotations

from contextvars import ContextVar, Token
from typing import Any, TypeAlias

from obs.integrations.asgi_types import Scope
from obs.integrations.exchange import Exchange
from obs.runtime import context, guard

#: Where a scope holds the exchange of a request that is being observed.
SEEN = "obs.exchange"
#: Where a2wsgi puts the scope; other adapters do not.
_A2WSGI = "asgi.scope"
#: What a mount of an application without routes ends in.
_REST = "/{path}"
_scope: ContextVar[Scope | None] = ContextVar("obs_scope", default=None)
_expected = False

Mark: TypeAlias = "Token[Scope | None] | None"


def expect() -> None:
    """Remember requests from now on: there is an application that may be mounted in another."""
    global _expected
    _expected = True


def enter(scope: Scope) -> Mark:
    """Let applications below find the request of `scope`."""
    return _scope.set(scope) if _expected else None


def leave(mark: Mark) -> None:
    """Forget the request again."""
    if mark is not None:
        context.leave(mark)


def outer(environ: dict[str, Any]) -> Scope | None:
    """Return the scope that `environ` was made of, where its request is being observed; else None."""
    try:
        scope = environ.get(_A2WSGI)
        if scope is None:
            scope = _scope.get()
            if scope is None or not _is_same(scope, environ):
                return None
        return scope if isinstance(scope.get(SEEN), Exchange) else None
    except Exception as error:
        guard.report("integration", error)
        return None


def root(scope: Scope) -> str:
    """Return the root path as an environ has it."""
    return str(scope.get("root_path", "")).encode().decode("latin-1")


def joined(route: str, inner: str, *, mounted: bool) -> str:
    """Return the whole template of a request: `route` as the outer application knows it, `inner` below it."""
    if not inner:
        return route
    if mounted and route.endswith(_REST):
        return route.removesuffix(_REST) + inner
    return (route or inner) if mounted else inner


def _is_same(scope: Scope, environ: dict[str, Any]) -> bool:
    """Tell whether `environ` is the request of `scope`, and none that its handler makes in this process."""
    if environ.get("REQUEST_METHOD") != scope["method"]:
        return False
    if environ.get("QUERY_STRING", "") != scope.get("query_string", b"").decode("latin-1"):
        return False
    path = environ.get("PATH_INFO", "").encode("latin-1", "replace").decode("utf-8", "replace")
    if not scope["path"].endswith(path):
        return False
    peer = scope.get("client")
    if peer and environ.get("REMOTE_ADDR", peer[0]) != peer[0]:
        return False
    sent = _sent(scope)
    return all(environ.get(name) == value for name, value in sent.items() if value is not None) and all(
        name in sent for name in environ if name.startswith("HTTP_")
    )


def _sent(scope: Scope) -> dict[str, str | None]:
    """Return the headers under their names in an environ; None for one that came more than once."""
    found: dict[str, str | None] = {}
    for raw, value in scope["headers"]:
        name = raw.decode("latin-1").upper().replace("-", "_")
        if name not in {"CONTENT_TYPE", "CONTENT_LENGTH"}:
            name = f"HTTP_{name}"
        found[name] = None if name in found else value.decode("latin-1")
    return found
