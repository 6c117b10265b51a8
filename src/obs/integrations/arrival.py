"""What arrives at a server, a request or a websocket: its ids, its span, its error.

Servers and frameworks differ in how one is read and answered; `asgi`, `wsgi` and `django` know
that. What they tell an arrival is the same for all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import Token
from typing import Any, NamedTuple

from obs.catalogue import http
from obs.runtime import clock, context, crashes, guard, live
from obs.runtime.context import Client
from obs.runtime.logged import mark_logged
from obs.runtime.settings import Settings

_METHODS = frozenset(http.METHODS)
#: The route of a request that no route took.
UNMATCHED = "unmatched"
_PATH_LIMIT = 2_048


class Incoming(NamedTuple):
    """The correlation headers of a request as they came; empty text for one that is absent."""

    request_id: str = ""
    correlation_id: str = ""
    traceparent: str = ""
    tracestate: str = ""
    baggage: str = ""


NOTHING = Incoming()


class Head(NamedTuple):
    """What a server knows about a request before its body."""

    method: str
    path: str
    scheme: str
    client: Client
    given: Incoming = NOTHING
    #: False where the framework has made the span of this request already.
    own_span: bool = True


#: Stands for a request whose server describes it in a form that we cannot read.
UNREADABLE = Head("_OTHER", "", "", Client())


class Arrival:
    """One request or connection. Every method is safe: an error of ours is the guard's.

    It is opened where the request arrives and left by `leave` in the same context (task or thread),
    whose ids it sets for as long as it lives.
    """

    #: Name of the span before the route is known, empty for the method.
    span_name = ""
    #: What an unhandled exception is called in the log.
    error_event = "http.exception"

    __slots__ = (
        "_client", "_correlation_id", "_failure", "_forget_baggage", "_over", "_path", "_request_id",
        "_settings", "_span", "_start", "_tokens", "_trace", "gone", "method", "started",
    )  # fmt: skip

    def __init__(self, settings: Settings, head: Head) -> None:
        self._start = clock.elapsed()
        self._settings = settings
        self._client = head.client
        self._path = head.path[:_PATH_LIMIT]
        #: The method, ``_OTHER`` for one that the conventions do not know.
        self.method = head.method if head.method in _METHODS else "_OTHER"
        #: Whether the answer is on its way.
        self.started = False
        #: Whether the client left before it had everything.
        self.gone = False
        self._over = False
        self._failure: BaseException | None = None
        self._span: live.Span | None = None
        self._request_id = self._correlation_id = self._trace = ""
        self._tokens: tuple[Token[Any], ...] = ()
        self._forget_baggage: Callable[[], None] | None = None
        try:
            self._open(head, head.given if settings.trust_incoming else NOTHING)
        except Exception as error:
            guard.report("integration", error)

    def _open(self, head: Head, given: Incoming) -> None:
        if given is NOTHING:
            self._request_id = self._correlation_id = context.new_request_id()
        else:
            correlation = _valid(given.correlation_id)
            self._request_id = _valid(given.request_id) or correlation or context.new_request_id()
            self._correlation_id = correlation or self._request_id
        self._tokens = (context.client.set(self._client), context.request_id.set(self._request_id))
        if given.baggage:
            self._forget_baggage = context.take_baggage(given.baggage)
        backend = live.tracing()
        if backend is None:
            return
        if head.own_span:
            self._span = backend.start(
                self.span_name or self.method,
                "server",
                {"http.request.method": self.method, "url.path": self._path, "url.scheme": head.scheme},
                context.parse_traceparent(given.traceparent, given.tracestate) if given.traceparent else None,
            )
        self._trace = context.traceparent()

    def headers(self) -> list[tuple[str, str]]:
        """Return the headers, names in lower case, that tell the caller the ids of this request."""
        if not self._request_id:
            return []
        found = [("x-request-id", self._request_id), ("x-correlation-id", self._correlation_id)]
        if self._trace:
            found.append(("traceparent", self._trace))
        return found

    def raw_headers(self) -> list[tuple[bytes, bytes]]:
        """Return the same headers as ASGI wants them."""
        request_id = self._request_id.encode("latin-1")
        if not request_id:
            return []
        same = self._correlation_id is self._request_id
        correlation_id = request_id if same else self._correlation_id.encode("latin-1")
        found = [(b"x-request-id", request_id), (b"x-correlation-id", correlation_id)]
        if self._trace:
            found.append((b"traceparent", self._trace.encode("latin-1")))
        return found

    def failed(self, error: BaseException, route: str) -> None:
        """Report what the application raised, once; the server's own report of it is dropped."""
        try:
            if _core(error) is self._failure or self._is_departure(error):
                # Reported already, or told by the access line: the server need not log a stack about it.
                mark_logged(error)
                return
            self._failure = error
            if self._span is not None and not self._over:
                self._span.fail(error)
            where = "after the response to" if self._over else "in"
            name = self.span_name or self.method
            message = f"unhandled exception {where} {name} {route}"
            crashes.unhandled(error, "http", message, event=self.error_event, method=self.method, route=route)
        except Exception as failure:
            guard.report("integration", failure)

    def _is_departure(self, error: BaseException) -> bool:
        return self.gone and type(error).__name__ == "ClientDisconnect"

    def leave(self) -> None:
        """Take the ids of this request out of the context again; a server may close a response twice."""
        span, tokens, forget_baggage = self._span, self._tokens, self._forget_baggage
        self._span, self._tokens, self._forget_baggage = None, (), None
        try:
            if span is not None:
                span.end()
            if forget_baggage is not None:
                forget_baggage()
            for token in tokens:
                context.leave(token)
        except Exception as error:
            guard.report("integration", error)
        # Its frames hold us and everything that the request had in hand.
        self._failure = None


def _core(error: BaseException) -> BaseException:
    """Return the one error inside of groups: task groups of older frameworks wrap what passes them."""
    # Python 3.10 has no such groups of its own.
    while True:
        inside: Any = getattr(error, "exceptions", None)
        if not isinstance(inside, tuple) or len(inside) != 1:
            return error
        error = inside[0]


def _valid(request_id: str) -> str:
    """Return the id when it may be echoed into headers and lines, else empty text."""
    if not request_id:
        return ""
    return request_id if context.REQUEST_ID.match(request_id.encode("utf-8", "replace")) else ""
