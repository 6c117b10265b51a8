"""redis-py clients, plain, asynchronous and clustered: commands, hits and misses, the pool. Keys stay unseen.

Nothing of redis-py is imported: what a client and its pool are called by is all that is needed.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from contextvars import ContextVar, Token
from functools import partial, wraps
from typing import Any

from obs.catalogue import cache
from obs.integrations.database import Operation
from obs.integrations.pool import PoolMeter
from obs.runtime import context, guard, live
from obs.runtime.instruments import counter

HITS = counter(cache.HITS)
MISSES = counter(cache.MISSES)

_MARK = "_obs_instrumented"
#: What sends a command at once in a transaction of a cluster.
_IMMEDIATE = "_immediate_execute_command"
_SYSTEM = "redis"
_NAME_LIMIT = 32
#: A pool with this many connections or more knows no limit.
_UNLIMITED = 2**31
_FOUND_ONE = frozenset(("GET", "GETEX", "GETDEL", "HGET", "JSON.GET"))
_FOUND_MANY = frozenset(("MGET", "HMGET", "JSON.MGET"))
_FOUND_FIELDS = frozenset(("HGETALL",))
_WAITING = frozenset((
    "BLPOP", "BRPOP", "BLMOVE", "BLMPOP", "BRPOPLPUSH", "BZPOPMIN", "BZPOPMAX", "BZMPOP", "XREAD", "XREADGROUP",
    "WAIT", "WAITAOF", "MONITOR", "PSUBSCRIBE", "SUBSCRIBE", "SSUBSCRIBE",
))  # fmt: skip
#: The attributes of the client that executes a pipeline. The asynchronous one of a cluster has its client
#: send anew what another server turned out to have, which is part of the pipeline, no operation of its own.
_in_pipeline: ContextVar[object] = ContextVar("obs_redis_pipeline", default=None)


def instrument(client: Any) -> None:
    """Instrument one `Redis` or `RedisCluster` client, plain or asynchronous; a second time is harmless.

    A command is one operation, however many servers of a cluster it was led to. Which of them answered
    is not known, nor are their pools: neither has an address or a gauge. Clients that a `Sentinel` makes
    are called by their service instead of an address, which changes.
    """
    if getattr(client, _MARK, False):
        return
    setattr(client, _MARK, True)
    pool = getattr(client, "connection_pool", None)
    attributes = _attributes(pool)
    client.execute_command = _observed(client.execute_command, partial(_Command, attributes))
    make = client.pipeline

    @wraps(make)
    def pipeline(*args: Any, **kwargs: Any) -> Any:
        made = make(*args, **kwargs)
        with guard.contained("integration"):
            made.execute = _observed(made.execute, partial(_Pipeline, attributes, made))
            # Between WATCH and MULTI a pipeline sends each command by itself.
            for sender, name in ((made, "immediate_execute_command"), (_strategy(made), _IMMEDIATE)):
                if hasattr(sender, name):
                    setattr(sender, name, _observed(getattr(sender, name), partial(_Command, attributes)))
        return made

    client.pipeline = pipeline
    if pool is not None:
        _watch_pool(pool)


def _observed(call: Callable[..., Any], begin: Callable[..., _Command]) -> Callable[..., Any]:
    if inspect.iscoroutinefunction(call):

        @wraps(call)
        async def later(*args: Any, **kwargs: Any) -> Any:
            if live.settings() is None:
                return await call(*args, **kwargs)
            command = begin(*args)
            try:
                result = await call(*args, **kwargs)
            except BaseException as error:
                command.end(None, error)
                raise
            command.end(result, None)
            return result

        return later

    @wraps(call)
    def now(*args: Any, **kwargs: Any) -> Any:
        if live.settings() is None:
            return call(*args, **kwargs)
        command = begin(*args)
        try:
            result = call(*args, **kwargs)
        except BaseException as error:
            command.end(None, error)
            raise
        command.end(result, None)
        return result

    return now


class _Command:
    """One command in progress. Every method is safe: an error of ours is the guard's."""

    def __init__(self, attributes: dict[str, Any], *args: Any) -> None:
        self._operation: Operation | None = None
        with guard.contained("integration"):
            self._begin(attributes, args)

    def _begin(self, attributes: dict[str, Any], args: Sequence[Any]) -> None:
        if _in_pipeline.get() is attributes:
            return
        self._name = _command_name(args)
        self._operation = Operation(_SYSTEM, self._name, "", attributes, may_wait=self._name in _WAITING)

    def end(self, result: Any, error: BaseException | None) -> None:
        """Record the command, answered or failed."""
        with guard.contained("integration"):
            if self._operation is not None:
                self._operation.end(error)
                if error is None:
                    self._count(result)

    def _count(self, result: Any) -> None:
        _count_found(self._name, result)


class _Pipeline(_Command):
    """One pipeline in progress, whose commands are sent and answered together."""

    def __init__(self, attributes: dict[str, Any], pipeline: Any, *args: Any) -> None:
        self._pipeline = pipeline
        self._inside: Token[object] | None = None
        super().__init__(attributes, *args)

    def _begin(self, attributes: dict[str, Any], args: Sequence[Any]) -> None:  # noqa: ARG002 - of the execution
        given, strategy = self._pipeline, _strategy(self._pipeline)
        self._names = _queued(given, strategy)
        # Called so by the asynchronous client, the plain one, and after MULTI.
        marks = (
            getattr(given, name, False) for name in ("is_transaction", "transaction", "explicit_transaction")
        )
        transaction = any(mark is True for mark in marks) or hasattr(strategy, _IMMEDIATE)
        size = {"db.operation.batch.size": len(self._names)} if len(self._names) > 1 else {}
        name = "MULTI" if transaction else "PIPELINE"
        self._operation = Operation(_SYSTEM, name, "", {**attributes, **size})
        self._inside = _in_pipeline.set(attributes)

    def end(self, result: Any, error: BaseException | None) -> None:
        if self._inside is not None:
            context.leave(self._inside)
        super().end(result, error)

    def _count(self, result: Any) -> None:
        if isinstance(result, list) and len(result) == len(self._names):
            for name, one in zip(self._names, result, strict=True):
                if not isinstance(one, Exception):
                    _count_found(name, one)


def _strategy(pipeline: Any) -> Any:
    """Return what holds and sends the commands of a cluster's pipeline since redis-py 6; None elsewhere."""
    return getattr(pipeline, "_execution_strategy", None)


def _queued(pipeline: Any, strategy: Any) -> list[str]:
    """Return the names of the commands that `pipeline` is about to send."""
    places = ((strategy, "_command_queue"), (pipeline, "command_stack"), (pipeline, "_command_stack"))
    stack: Any = next(filter(None, (getattr(holder, name, None) for holder, name in places)), ())
    # A command is a pair of arguments and options, in a cluster an object that has them.
    return [_command_name(getattr(item, "args", None) or item[0]) for item in stack]


def _command_name(args: Sequence[Any]) -> str:
    """Return the command in capitals: the first word of the first argument, because keys may follow in it."""
    first = args[0] if args else ""
    text = first.decode("ascii", "replace") if isinstance(first, bytes) else str(first)
    words = text[: 2 * _NAME_LIMIT].split(None, 1)
    name = words[0].upper() if words else ""
    plain = name.replace(".", "").replace("_", "").replace("-", "")
    return name if plain.isascii() and plain.isalnum() and len(name) <= _NAME_LIMIT else "OTHER"


def _count_found(name: str, result: Any) -> None:
    if name in _FOUND_ONE:
        hits, asked = int(result is not None), 1
    elif name in _FOUND_MANY and isinstance(result, (list, tuple)):
        hits, asked = sum(1 for one in result if one is not None), len(result)
    elif name in _FOUND_FIELDS:
        hits, asked = int(bool(result)), 1
    else:
        return
    # Both exist from the first lookup on, so that a ratio has both its parts.
    HITS.series((name,)).inc(hits)
    MISSES.series((name,)).inc(asked - hits)


def _attributes(pool: Any) -> dict[str, Any]:
    given = getattr(pool, "connection_kwargs", {})
    found = {
        "server.address": given.get("host") or given.get("path") or _service(pool),
        "server.port": given.get("port"),
        "db.namespace": str(given.get("db") or 0) if pool is not None else None,
    }
    return {key: value for key, value in found.items() if value}


def _service(pool: Any) -> str:
    """Return what a sentinel calls the servers of `pool`, which change; empty for a pool of one server."""
    return str(getattr(pool, "service_name", None) or "")


def _watch_pool(pool: Any) -> None:
    if getattr(pool, _MARK, False):
        return
    setattr(pool, _MARK, True)
    found = _attributes(pool)
    address = f"{found.get('server.address', 'redis')}:{found.get('server.port', '')}".rstrip(":")
    if _service(pool) and not getattr(pool, "is_master", True):
        address += " replicas"
    meter = PoolMeter(f"{address}/{found.get('db.namespace', '0')}")
    most = getattr(pool, "max_connections", _UNLIMITED)
    meter.most = most if most < _UNLIMITED else None
    take, release = pool.get_connection, pool.release
    if inspect.iscoroutinefunction(take):

        @wraps(take)
        async def taken_later(*args: Any, **kwargs: Any) -> Any:
            if meter.is_full():
                with meter.waiting():
                    connection = await take(*args, **kwargs)
            else:
                connection = await take(*args, **kwargs)
            meter.lend(id(connection))
            return connection

        pool.get_connection = taken_later
    else:

        @wraps(take)
        def taken(*args: Any, **kwargs: Any) -> Any:
            if meter.is_full():
                with meter.waiting():
                    connection = take(*args, **kwargs)
            else:
                connection = take(*args, **kwargs)
            meter.lend(id(connection))
            return connection

        pool.get_connection = taken

    @wraps(release)
    def released(connection: Any, *args: Any, **kwargs: Any) -> Any:
        meter.take_back(id(connection))
        # Plain or a coroutine, which its caller awaits.
        return release(connection, *args, **kwargs)

    pool.release = released
