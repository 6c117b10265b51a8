"""One operation on a database, from the client's side: its duration, its span, the line when it was slow."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from obs.catalogue import db
from obs.runtime import clock, guard, live, logger, traces
from obs.runtime.instruments import counter, histogram

DURATION = histogram(db.OPERATION_DURATION)
SLOW = counter(db.SLOW_QUERIES)
_NO_FACTS: Mapping[str, Any] = MappingProxyType({})


class Operation:
    """A database operation in progress. Every method is safe: an error of ours is the guard's."""

    __slots__ = ("_ended", "_facts", "_may_wait", "_operation", "_span", "_start", "_system", "_table")

    def __init__(
        self,
        system: str,
        operation: str,
        table: str,
        attributes: Mapping[str, Any],
        *,
        facts: Mapping[str, Any] = _NO_FACTS,
        may_wait: bool = False,
    ) -> None:
        self._system, self._operation, self._table = system, operation, table
        #: What the line about a slow one says besides.
        self._facts = facts
        #: Whether it is the very purpose of the operation to wait, so that no time is slow.
        self._may_wait = may_wait
        self._ended = False
        self._span: live.Span | None = None
        if live.tracing() is not None:
            name = f"{operation} {table}" if table else operation
            told = {"db.system.name": system, "db.operation.name": operation, **attributes}
            if table:
                told["db.collection.name"] = table
            self._span = traces.start(name, "client", told)
            with guard.contained("traces"):
                if self._span is not None:
                    # Not current meanwhile: where a library never tells the end, the host is not left in it.
                    self._span.pause()
        self._start = clock.elapsed()

    def end(self, error: BaseException | None = None, code: str = "") -> None:
        """Record the operation once, however often this is called; `code` is the database's own."""
        if self._ended:
            return
        self._ended = True
        seconds = clock.elapsed() - self._start
        kind = type(error).__name__ if error is not None else ""
        with guard.contained("traces"):
            if self._span is not None:
                # For the exemplar and the line.
                self._span.resume()
        with guard.contained("integration"):
            DURATION.series((self._system, self._operation, self._table, kind)).observe(seconds)
            settings = live.settings()
            if not self._may_wait and settings is not None and seconds >= settings.slow_query > 0:
                self._line(seconds, kind)
            if self._span is not None and error is not None:
                self._span.set({"error.type": kind, **({"db.response.status_code": code} if code else {})})
                # Not the error itself: its words are the database's and repeat the values.
                self._span.fail(None, kind)
        traces.end(self._span, None)

    def _line(self, seconds: float, kind: str) -> None:
        SLOW.series((self._system, self._operation, self._table)).inc()
        logger.log.warning(
            "slow query",
            event="db.slow_query",
            system=self._system,
            operation=self._operation,
            table=self._table,
            duration=round(seconds, 6),
            **self._facts,
            **({"error": kind} if kind else {}),
        )
