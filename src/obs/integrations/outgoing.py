"""One HTTP request that the host sends: what is measured, traced and carried with it, for every client."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit, urlunsplit

from obs.catalogue import http
from obs.runtime import clock, context, guard, live, traces
from obs.runtime.instruments import counter, histogram

DURATION = histogram(http.CLIENT_DURATION)
REQUESTS = counter(http.CLIENT_REQUESTS)

_METHODS = frozenset(http.METHODS)
_URL_LIMIT = 2_048
#: Where OpenTelemetry's exporters send to.
_EXPORTS = ("/v1/traces", "/v1/metrics", "/v1/logs")


class Call:
    """One request until the last byte of its response. Every method is safe: an error of ours is the guard's."""

    __slots__ = ("_address", "_error", "_finished", "_method", "_span", "_start", "_status", "injected")

    def __init__(self, method: str, url: str, headers: Any) -> None:
        self._method = method if method in _METHODS else "_OTHER"
        self._address = ""
        self._status = 0
        self._error = ""
        self._finished = False
        self._span: live.Span | None = None
        #: Our headers on the request: a redirect copies them, and may lead out of the house.
        self.injected: dict[str, str] = {}
        self._start = clock.elapsed()
        with guard.contained("integration"):
            self._open(url, headers)

    def _open(self, url: str, headers: Any) -> None:
        parts = urlsplit(url)
        if parts.path.endswith(_EXPORTS):
            # Telemetry about an exporter's own requests would export itself for ever.
            self._finished = True
            return
        host, port = parts.hostname or "", parts.port
        self._address = host
        bare = f"[{host}]" if ":" in host else host
        # Without the query, which is where tokens travel, and without the user's name and password.
        place = urlunsplit((parts.scheme, f"{bare}:{port}" if port else bare, parts.path, "", ""))
        attributes: dict[str, Any] = {
            "http.request.method": self._method, "server.address": host, "url.full": place[:_URL_LIMIT],
        }  # fmt: skip
        if port:
            attributes["server.port"] = port
        self._span = traces.start(self._method, "client", attributes)
        if context.propagates_to(host):
            for name, value in context.inject().items():
                # What the caller set explicitly stays.
                if name not in headers:
                    headers[name] = self.injected[name] = value
        if self._span is not None:
            # The host goes on in its own span, while the body may still be on its way.
            self._span.pause()

    def withdraw(self, headers: Any) -> None:
        """Take our headers off a request that was made from this call's own."""
        with guard.contained("integration"):
            for name, value in self.injected.items():
                if headers.get(name) == value:
                    del headers[name]

    def answered(self, status: int) -> None:
        """Note the status; the body may still have to come."""
        with guard.contained("integration"):
            self._status = status
            if status >= 400:
                self._error = str(status)
            if self._span is not None:
                self._span.set({"http.response.status_code": status})
                if status >= 400:
                    self._span.fail(None)

    def finish(self, error: BaseException | None = None) -> None:
        """Record the call once, however often this is called."""
        if self._finished:
            return
        self._finished = True
        traces.end(self._span, error)
        with guard.contained("integration"):
            kind = type(error).__name__ if error is not None else self._error
            values = (self._method, self._address, str(self._status) if self._status else "", kind)
            DURATION.series(values).observe(clock.elapsed() - self._start)
            REQUESTS.series(values).inc()
