"""One request and its response: what is measured, traced and logged about it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from obs.catalogue import http
from obs.integrations.arrival import UNMATCHED, Arrival, Head
from obs.runtime import clock, guard, levels, logger
from obs.runtime.instruments import counter, gauge, histogram
from obs.runtime.redaction import clean_value
from obs.runtime.settings import Settings
from obs.runtime.severity import SEVERITY

DURATION = histogram(http.SERVER_DURATION)
REQUESTS = counter(http.SERVER_REQUESTS)
ACTIVE = gauge(http.SERVER_ACTIVE)

#: What nginx calls a request whose client left before there was an answer.
_CLIENT_CLOSED = 499
_ACCESS = "obs.access"
_NO_FIELDS: Mapping[str, Any] = MappingProxyType({})
_GATE = levels.gate(_ACCESS)


class Exchange(Arrival):
    """The life of one HTTP request, from its arrival until its response is with the server."""

    __slots__ = ("_active", "_ended_at", "inner_route", "status")

    def __init__(self, settings: Settings, head: Head) -> None:
        #: The status of the response; that of an error until there is one.
        self.status = 500
        #: The template that an application of another kind below has for it; empty without one.
        self.inner_route = ""
        self._ended_at: float | None = None
        self._active: Any = None
        super().__init__(settings, head)
        try:
            self._active = ACTIVE.series((self.method,))
            self._active.inc()
        except Exception as error:
            guard.report("integration", error)

    def starts(self, status: int) -> None:
        """Note the status of the response, which is on its way to the client."""
        self.started = True
        self.status = status

    def completes(self) -> None:
        """Note when the last byte of the response was handed over; background work comes after it."""
        if self._ended_at is None:
            self._ended_at = clock.elapsed()

    def disconnected(self, error: BaseException | None = None) -> None:
        """Note that the client has gone, unless it has everything already; `error` told so."""
        if self._ended_at is None:
            self.gone = True
            if error is not None:
                self._failure = error

    def end(self, route: str, error: BaseException | None = None) -> None:
        """Record everything about the request, however it ended, and leave its context."""
        self.record(route, error)
        self.leave()

    def record(self, route: str, error: BaseException | None = None) -> None:
        """Record everything about the request, once; its ids stay until `end`."""
        if self._over:
            return
        self._over = True
        ended_at = clock.elapsed() if self._ended_at is None else self._ended_at
        seconds = ended_at - self._start
        if not self.started and (self.gone or (error is not None and not isinstance(error, Exception))):
            self.status = _CLIENT_CLOSED
        try:
            self._record(route, seconds)
        except Exception as failure:
            guard.report("integration", failure)
        if self._span is not None:
            try:
                self._span.finish()
            except Exception as failure:
                guard.report("integration", failure)

    @property
    def recorded(self) -> bool:
        """Tell whether everything about the request is recorded."""
        return self._over

    def _record(self, route: str, seconds: float) -> None:
        if self._active is not None:
            self._active.dec()
        values = (self.method, route, str(self.status))
        DURATION.series(values).observe(seconds)
        if self._settings.dialect == "classic":
            # In the other one the duration counts them.
            REQUESTS.series(values).inc()
        name = f"{self.method} {route}"
        if self._span is not None:
            attributes: dict[str, Any] = {"http.response.status_code": self.status}
            if route != UNMATCHED:
                # The conventions leave name and attribute as they are where there is no route.
                self._span.rename(name)
                attributes["http.route"] = route
            self._span.set(attributes)
            if self.status >= 500 and self._failure is None:
                self._span.fail(None)
        if self._settings.access_log:
            self._line(name, route, seconds)

    def _line(self, name: str, route: str, seconds: float) -> None:
        pipeline = logger.pipeline()
        level = "error" if self.status >= 500 else "info"
        if pipeline is None or _GATE.level > SEVERITY[level]:
            return
        known: dict[str, Any] = {
            "event": "http.request",
            "method": self.method,
            "route": route,
            # Of all that the line says, these two come from outside.
            "path": clean_value("path", self._path),
            "status": self.status,
            "duration": round(seconds, 6),
            "client": clean_value("client", self._client.address),
        }
        if self.gone:
            known["disconnected"] = True
        pipeline.emit(level, f"{name} {self.status}", _NO_FIELDS, logger=_ACCESS, known=known)
