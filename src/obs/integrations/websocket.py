"""One websocket connection: counted, traced and logged from its handshake to its close.

It has no part in the durations of HTTP requests: how long a client stays is not how fast we are.
"""

from __future__ import annotations

from typing import Any, Literal

from obs.catalogue import websocket as signals
from obs.integrations.arrival import UNMATCHED, Arrival, Head
from obs.runtime import clock, guard, logger
from obs.runtime.instruments import counter, gauge
from obs.runtime.settings import Settings

CONNECTIONS = counter(signals.CONNECTIONS)
ACTIVE = gauge(signals.ACTIVE)

#: RFC 6455 and its registry: what a server says when the fault is its own.
_FAULTS = frozenset({1011, 1012, 1013, 1014})
#: RFC 6455's word for a connection that ended without any.
_ABNORMAL = 1006
#: What a server that shuts down says to both sides, in the registry's words that it restarts.
_RESTART = 1012


class Connection(Arrival):
    """The life of one websocket, of which one span and one line are made at its end."""

    span_name = "WEBSOCKET"
    error_event = "websocket.exception"

    __slots__ = ("_by", "_code", "_heard", "_left", "_refused", "_series")

    def __init__(self, settings: Settings, head: Head) -> None:
        self._code = 0
        self._by = ""
        #: Whether it was the application that heard of the close, and not the one that said it.
        self._heard = False
        self._refused = 0
        self._left: BaseException | None = None
        self._series: Any = None
        super().__init__(settings, head)
        try:
            self._series = ACTIVE.series(())
            self._series.inc()
        except Exception as error:
            guard.report("integration", error)

    def accepts(self) -> None:
        """Note that the handshake was answered."""
        self.started = True

    def refuses(self, status: int) -> None:
        """Note that the handshake was answered with an HTTP response instead."""
        self._refused = status

    def closes(self, code: int, *, by: Literal["client", "server"]) -> None:
        """Note the close code and who sent it; the first one counts."""
        if self._by:
            return
        self._code, self._heard = code, by == "client"
        # The application hears from its server in the same way as from its client.
        self._by = "server" if code == _RESTART else by

    def disconnected(self, error: BaseException) -> None:
        """Note that the client has gone without a close, as `error` of sending to it told."""
        self.closes(_ABNORMAL, by="client")
        self._left = error

    def _is_departure(self, error: BaseException) -> bool:
        # What Starlette raises when the client has closed or gone and nobody handles it.
        told = error is self._left or type(error).__name__ == "WebSocketDisconnect"
        return told and (self._heard or self._left is not None)

    def end(self, route: str) -> None:
        """Record everything about the connection, however it ended, and leave its context."""
        seconds = clock.elapsed() - self._start
        try:
            self._record(route, seconds)
        except Exception as failure:
            guard.report("integration", failure)
        self.leave()
        # As with an error of the application: its frames hold us.
        self._left = None

    def _record(self, route: str, seconds: float) -> None:
        if self._series is not None:
            self._series.dec()
        failed = self._failure is not None and not self._is_departure(self._failure)
        admitted = self._code in _FAULTS and not self._heard
        if failed or admitted or self._refused >= 500:
            result = "failed"
        else:
            result = "closed" if self.started else "refused"
        CONNECTIONS.series((route, result)).inc()
        # Without an accept a close is an HTTP 403, as the ASGI specification says.
        status = 101 if self.started else self._refused or (500 if failed else 403)
        if self._span is not None:
            attributes: dict[str, Any] = {"http.response.status_code": status}
            if self._code and self.started:
                attributes["websocket.close.code"] = self._code
            if route != UNMATCHED:
                self._span.rename(f"{self.span_name} {route}")
                attributes["http.route"] = route
            self._span.set(attributes)
            if result == "failed" and not failed:
                self._span.fail(None)
        if self._settings.access_log:
            self._line(route, result, status, seconds)

    def _line(self, route: str, result: str, status: int, seconds: float) -> None:
        pipeline = logger.pipeline()
        level = "error" if result == "failed" else "info"
        if pipeline is None or not pipeline.enabled(level, "obs.access"):
            return
        fields: dict[str, Any] = {
            "event": "websocket.connection",
            "route": route,
            "path": self._path,
            "status": status,
            "result": result,
            "duration": round(seconds, 6),
            "client": self._client.address,
        }
        if self._by and self.started:
            fields["close_code"], fields["closed_by"] = self._code, self._by
        pipeline.emit(level, f"{self.span_name} {route} {result}", fields, logger="obs.access")
