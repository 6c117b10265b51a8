"""gRPC, plain and asyncio: interceptors for servers and channels, put in place by `obs.instrument(grpc)`.

A server takes interceptors only where it is made, and a channel is wrapped there, so instrumenting
the module means that what it makes from then on is observed.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from obs.errors import MissingExtra
from obs.integrations.rpc import address_of

_MARK = "_obs_instrumented"


def server_interceptors() -> list[Any]:
    """Return what to give to `grpc.server(..., interceptors=...)` where the module is not instrumented.

    Raises `MissingExtra` when grpcio is not installed.
    """
    return list(_load("server").INTERCEPTORS)


def aio_server_interceptors() -> list[Any]:
    """Return what to give to `grpc.aio.server(interceptors=...)`; see `server_interceptors`."""
    return list(_load("server").AIO_INTERCEPTORS)


def client_interceptors(target: str) -> list[Any]:
    """Return what to give to `grpc.intercept_channel` for a channel to `target`.

    Raises `MissingExtra` when grpcio is not installed.
    """
    return list(_load("client").interceptors(address_of(target)))


def aio_client_interceptors(target: str) -> list[Any]:
    """Return what to give to `grpc.aio.insecure_channel(target, interceptors=...)`; see `client_interceptors`."""
    return list(_load("client").aio_interceptors(address_of(target)))


def instrument(module: Any) -> None:
    """Observe every server and channel that `grpc` makes from now on; a second time is harmless.

    Names taken before by ``from grpc import server`` are not replaced.
    """
    if getattr(module, _MARK, False):
        return
    setattr(module, _MARK, True)
    module.server = _with(module.server, lambda _: server_interceptors())
    for name in ("insecure_channel", "secure_channel"):
        setattr(module, name, _wrapped_channel(module, getattr(module, name)))
    # The asyncio half is a module of its own, which grpc loads with itself.
    aio = getattr(module, "aio", None)
    if aio is not None:
        aio.server = _with(aio.server, lambda _: aio_server_interceptors())
        for name in ("insecure_channel", "secure_channel"):
            setattr(aio, name, _with(getattr(aio, name), aio_client_interceptors))


def _with(make: Callable[..., Any], ours: Callable[[str], Sequence[Any]]) -> Callable[..., Any]:
    """Return `make` that puts our interceptors before those it is given."""
    signature = inspect.signature(make)

    @wraps(make)
    def made(*args: Any, **kwargs: Any) -> Any:
        given = signature.bind(*args, **kwargs)
        present = given.arguments.get("interceptors") or ()
        target = str(given.arguments.get("target", ""))
        given.arguments["interceptors"] = (*ours(target), *present)
        return make(*given.args, **given.kwargs)

    return made


def _wrapped_channel(module: Any, make: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(make)
    def made(target: str, *args: Any, **kwargs: Any) -> Any:
        return module.intercept_channel(make(target, *args, **kwargs), *client_interceptors(target))

    return made


def _load(half: str) -> Any:
    try:
        if half == "server":
            from obs.integrations import grpc_server

            return grpc_server
        from obs.integrations import grpc_client
    except ModuleNotFoundError as error:
        if error.name != "grpc":
            raise
        raise MissingExtra("the gRPC integration", "grpcio", "grpc") from None
    return grpc_client
