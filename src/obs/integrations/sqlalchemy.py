"""SQLAlchemy 2 engines, plain and asynchronous: statements and the pool, by the engine's own events."""

from __future__ import annotations

import weakref
from typing import Any

from obs.integrations import sql
from obs.integrations.database import Operation
from obs.integrations.pool import PoolMeter
from obs.runtime import guard, live

_MARK = "_obs_instrumented"
_CALL = "_obs_operation"
#: SQLAlchemy's name of a database -> the conventions'.
_SYSTEMS = {"mssql": "microsoft.sql_server", "oracle": "oracle.db"}


def instrument(target: Any) -> None:
    """Instrument an `Engine` or `AsyncEngine`; a second time is harmless.

    Raises `MissingExtra` when SQLAlchemy is not installed.
    """
    engine = getattr(target, "sync_engine", target)
    # Engines made by execution_options() share the events and the pool of the one they were made from.
    engine = getattr(engine, "_proxied", engine)
    if getattr(engine.dialect, _MARK, False):
        return
    setattr(engine.dialect, _MARK, True)
    from sqlalchemy import event

    watch = _Watch(engine)
    event.listen(engine, "before_cursor_execute", watch.before)
    event.listen(engine, "after_cursor_execute", watch.after)
    event.listen(engine, "handle_error", watch.failed)
    event.listen(engine, "connect", watch.connected)
    event.listen(engine, "checkout", watch.lent)
    event.listen(engine, "checkin", watch.returned)
    event.listen(engine, "detach", watch.returned)
    event.listen(engine, "engine_disposed", watch.disposed)
    watch.count_waiting(engine.pool)


class _Watch:
    """What one engine's events are told to."""

    def __init__(self, engine: Any) -> None:
        url, name = engine.url, engine.dialect.name
        self._system = _SYSTEMS.get(name, name)
        self._attributes: dict[str, Any] = {}
        for key, value in (
            ("db.namespace", url.database), ("server.address", url.host), ("server.port", url.port),
        ):  # fmt: skip
            if value:
                self._attributes[key] = value
        self.meter = PoolMeter(_pool_name(engine))

    def before(self, *given: Any) -> None:
        if live.settings() is None:
            return
        with guard.contained("integration"):
            _, _, statement, parameters, context, executemany = given
            _end(context)
            known = sql.read(statement, self._system)
            attributes = {
                **self._attributes, "db.query.text": known.text, "db.query.fingerprint": known.fingerprint,
            }  # fmt: skip
            if executemany and hasattr(parameters, "__len__") and len(parameters) > 1:
                attributes["db.operation.batch.size"] = len(parameters)
            facts = {"fingerprint": known.fingerprint, "statement": known.text}
            begun = Operation(self._system, known.operation, known.table, attributes, facts=facts)
            setattr(context, _CALL, begun)

    def after(self, *given: Any) -> None:
        if hasattr(given[4], _CALL):
            with guard.contained("integration"):
                _end(given[4])

    def failed(self, failure: Any) -> None:
        with guard.contained("integration"):
            original = failure.original_exception
            code = getattr(original, "sqlstate", None) or getattr(original, "pgcode", None)
            error = failure.sqlalchemy_exception or original
            _end(failure.execution_context, error, code if isinstance(code, str) else "")

    def connected(self, *_: Any) -> None:
        self.meter.opened()

    def lent(self, *given: Any) -> None:
        self.meter.lend(id(given[1]))

    def returned(self, *given: Any) -> None:
        self.meter.take_back(id(given[1]))

    def disposed(self, engine: Any) -> None:
        with guard.contained("integration"):
            # Only what was waiting in the old pool is closed; what is lent comes back to it.
            self.count_waiting(engine.pool)

    def count_waiting(self, pool: Any) -> None:
        """Count who waits for a connection of `pool`: of that alone SQLAlchemy has no event."""
        with guard.contained("integration"):
            size, overflow = getattr(pool, "size", None), getattr(pool, "_max_overflow", 0)
            if not callable(size) or getattr(pool, _MARK, False):
                return
            setattr(pool, _MARK, True)
            # -1 stands for no limit, and so does a queue of size 0.
            limited = overflow >= 0 and size() > 0
            self.meter.most = size() + overflow if limited else None
            if limited and hasattr(pool, "overflow"):
                pool.connect = _Waiting(pool, self.meter, overflow)


class _Waiting:
    """`Pool.connect` that tells when it has to wait. The pool is held weakly: it holds this."""

    def __init__(self, pool: Any, meter: PoolMeter, most_overflow: int) -> None:
        self._pool = weakref.ref(pool)
        self._connect = type(pool).connect
        self._meter = meter
        self._most_overflow = most_overflow

    def __call__(self) -> Any:
        pool: Any = self._pool()
        if live.settings() is None or not self._is_empty(pool):
            return self._connect(pool)
        self._meter.wait()
        in_vain = False
        try:
            return self._connect(pool)
        except Exception as error:
            # By name: a subclass of SQLAlchemy's own class for it is all that the pool raises here.
            in_vain = any(
                kind.__name__ == "TimeoutError" and kind.__module__ == "sqlalchemy.exc"
                for kind in type(error).__mro__
            )
            raise
        finally:
            self._meter.waited(in_vain=in_vain)

    def _is_empty(self, pool: Any) -> bool:
        with guard.contained("integration"):
            return bool(pool.checkedin() == 0 and pool.overflow() >= self._most_overflow)
        return False


def _end(context: Any, error: BaseException | None = None, code: str = "") -> None:
    operation = getattr(context, _CALL, None)
    if operation is not None:
        setattr(context, _CALL, None)
        operation.end(error, code)


def _pool_name(engine: Any) -> str:
    url = engine.url
    if engine.logging_name:
        return str(engine.logging_name)
    if not url.host:
        # A file's directory says nothing to a reader of a dashboard.
        return f"{engine.dialect.name}/{str(url.database or 'memory').rpartition('/')[2]}"
    return f"{url.host}:{url.port}/{url.database}" if url.port else f"{url.host}/{url.database}"
