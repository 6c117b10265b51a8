"""One request and its response: what is measured, traced, logged and answered about it."""

from __future__ import annotations

import time
from collections.abc import MutableMapping
from typing import Any

from obs.catalogue import http
from obs.runtime import context, guard, live, logger
from obs.runtime.instruments import counter, gauge, histogram
from obs.runtime.settings import Settings
from obs.runtime.severity import SEVERITY

DURATION = histogram(http.SERVER_DURATION)
REQUESTS = counter(http.SERVER_REQUESTS)
ACTIVE = gauge(http.SERVER_ACTIVE)

_METHODS = frozenset(http.METHODS)
#: The route of a request that no route took.
UNMATCHED = "unmatched"
#: What nginx calls a request whose client left before there was an answer.
_CLIENT_CLOSED = 499
_PATH_LIMIT = 2_048
_OURS = (b"x-request-id", b"x-correlation-id", b"traceparent")


class Exchange:
    """The life of one HTTP request. Every method is safe: an error of ours is the guard's."""

    __slots__ = (
        "_active", "_ended_at", "_headers", "_method", "_path", "_request_token", "_scope",
        "_settings", "_span", "_start", "_status", "gone",
        "started",
    )  # fmt: skip

    def __init__(self, settings: Settings, scope: MutableMapping[str, Any]) -> None:
        self._start = time.perf_counter()
        self._ended_at = 0.0
        self._settings = settings
        self._scope = scope
        self._status = 500
        self.started = False
        self.gone = False
        self._span: live.Span | None = None
        self._headers: list[tuple[bytes, bytes]] = []
        self._request_token: Any = None
        self._active: Any = None
        method = scope["method"]
        self._method = method if method in _METHODS else "_OTHER"
        # Taken now: a mount and some middleware rewrite the scope on the way down.
        self._path = scope["path"][:_PATH_LIMIT]
        try:
            self._open()
        except Exception as error:
            guard.report("integration", error)

    def _open(self) -> None:
        self._active = ACTIVE.series((self._method,))
        self._active.inc()
        given = _Incoming(self._scope["headers"]) if self._settings.trust_incoming else _NOTHING
        request_id = given.request_id or given.correlation_id or context.new_request_id()
        self._request_token = context.request_id.set(request_id)
        backend = live.tracing()
        trace = ""
        if backend is not None:
            self._span = backend.start(
                self._method,
                "server",
                {
                    "http.request.method": self._method,
                    "url.path": self._path,
                    "url.scheme": self._scope.get("scheme", "http"),
                },
                context.parse_traceparent(given.traceparent, given.tracestate) if given.traceparent else None,
            )
            trace = context.traceparent()
        self._headers = [
            (b"x-request-id", request_id.encode("latin-1")),
            (b"x-correlation-id", (given.correlation_id or request_id).encode("latin-1")),
        ]
        if trace:
            self._headers.append((b"traceparent", trace.encode("latin-1")))

    def starts(self, message: MutableMapping[str, Any]) -> None:
        """Note the status and add the ids to the response's headers, where it has none of its own."""
        self.started = True
        self._status = message["status"]
        # Any iterable is allowed, one that can be walked only once as well.
        present = list(message.get("headers") or ())
        names = {name.lower() for name, _ in present}
        message["headers"] = [*present, *(item for item in self._headers if item[0] not in names)]

    def completes(self) -> None:
        """Note when the last byte of the response was handed over; background work comes after it."""
        self._ended_at = time.perf_counter()

    def disconnected(self) -> None:
        """Note that the client has gone, unless it has everything already."""
        if not self._ended_at:
            self.gone = True

    def failed(self, error: Exception, route: str) -> None:
        """Log what the application raised, once, with its stack; the server's report is dropped."""
        if self.gone and type(error).__name__ == "ClientDisconnect":
            return
        try:
            if self._span is not None:
                self._span.fail(error)
            logger.log.error(
                f"unhandled exception in {self._method} {route}", event="http.exception", exc_info=error
            )
            from obs.runtime.logged import mark_logged

            if logger.pipeline() is not None:
                mark_logged(error)
        except Exception as failure:
            guard.report("integration", failure)

    def end(self, route: str, error: BaseException | None) -> None:
        """Record everything about the request; called once, however it ended."""
        seconds = (self._ended_at or time.perf_counter()) - self._start
        if not self.started and (self.gone or (error is not None and not isinstance(error, Exception))):
            self._status = _CLIENT_CLOSED
        try:
            self._record(route, seconds)
        except Exception as failure:
            guard.report("integration", failure)
        finally:
            self._close()

    def _record(self, route: str, seconds: float) -> None:
        if self._active is not None:
            self._active.dec()
        values = (self._method, route, str(self._status))
        DURATION.series(values).observe(seconds)
        REQUESTS.series(values).inc()
        if self._span is not None:
            attributes: dict[str, Any] = {"http.response.status_code": self._status}
            if route != UNMATCHED:
                # The conventions leave name and attribute as they are where there is no route.
                self._span.rename(f"{self._method} {route}")
                attributes["http.route"] = route
            self._span.set(attributes)
            if self._status >= 500:
                self._span.fail(None)
        if self._settings.access_log:
            self._line(route, seconds)

    def _line(self, route: str, seconds: float) -> None:
        pipeline = logger.pipeline()
        level = "error" if self._status >= 500 else "info"
        if pipeline is None or SEVERITY[level] < pipeline.threshold:
            return
        client = self._scope.get("client")
        fields: dict[str, Any] = {
            "event": "http.request",
            "method": self._method,
            "route": route,
            "path": self._path,
            "status": self._status,
            "duration": round(seconds, 6),
            "client": client[0] if client else "",
        }
        if self.gone:
            fields["disconnected"] = True
        pipeline.emit(level, f"{self._method} {route} {self._status}", fields, logger="obs.access")

    def _close(self) -> None:
        with guard.contained("integration"):
            if self._span is not None:
                self._span.end()
        if self._request_token is not None:
            context.leave(self._request_token)


class _Incoming:
    """The correlation headers of a request; what is malformed counts as absent."""

    __slots__ = ("correlation_id", "request_id", "traceparent", "tracestate")

    def __init__(self, headers: Any) -> None:
        self.request_id = self.correlation_id = self.traceparent = self.tracestate = ""
        for name, value in headers:
            if name == b"x-request-id":
                self.request_id = _valid(value)
            elif name == b"x-correlation-id":
                self.correlation_id = _valid(value)
            elif name == b"traceparent":
                self.traceparent = value.decode("latin-1")
            elif name == b"tracestate":
                self.tracestate = value.decode("latin-1")


_NOTHING = _Incoming(())


def _valid(value: bytes) -> str:
    return value.decode("latin-1") if context.REQUEST_ID.match(value) else ""
