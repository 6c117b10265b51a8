"""One remote call as server or as client: what is measured, traced, logged and carried with it.

Knows no gRPC: a code is its number or anything with a `name`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from typing import Any

from obs.catalogue import rpc
from obs.runtime import clock, context, crashes, guard, live, logger, traces
from obs.runtime.instruments import counter, gauge, histogram

SERVER_DURATION = histogram(rpc.SERVER_DURATION)
SERVER_CALLS = counter(rpc.SERVER_CALLS)
SERVER_ACTIVE = gauge(rpc.SERVER_ACTIVE)
CLIENT_DURATION = histogram(rpc.CLIENT_DURATION)
CLIENT_CALLS = counter(rpc.CLIENT_CALLS)

_SYSTEM = "grpc"
#: The method of a call that the server has no handler for.
UNMATCHED = "unmatched"
#: Methods that are told apart: a handler for everything could be asked for anything.
_MOST_METHODS = 500
_HEADERS = frozenset(("traceparent", "tracestate", "baggage", "x-request-id"))
#: Codes that are the server's fault, after the conventions; to a client every code but OK is an error.
_FAULTS = frozenset(("UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"))
_QUIET = ("/grpc.health.v1.Health/", "/grpc.reflection.", "/opentelemetry.proto.collector.")
_methods: set[str] = set()


def is_quiet(method: str) -> bool:
    """Return whether calls of `method` are not observed: health, reflection, and telemetry's own."""
    return method.startswith(_QUIET)


def code_name(code: Any) -> str:
    """Return the name of a status code; None counts as OK, what is unknown as UNKNOWN."""
    if code is None:
        return "OK"
    name = getattr(code, "name", None)
    if name is None and isinstance(code, int) and 0 <= code < len(rpc.CODES):
        return rpc.CODES[code]
    return name if name in rpc.CODES else "UNKNOWN"


class Served:
    """One call that the server answers. Every method is safe: an error of ours is the guard's.

    `code` and `fails` come from whoever knows gRPC: what the handler set, and whether it was left by
    an error that nobody meant.
    """

    def __init__(self, method: str, metadata: Iterable[tuple[str, Any]] | None) -> None:
        self._start = clock.elapsed()
        self._method = _bounded(method.lstrip("/"))
        self._span: live.Span | None = None
        self._undo = ExitStack()
        self.request_id = ""
        #: Whether the handler ended the call by itself, on purpose.
        self.aborted = False
        with guard.contained("integration"):
            self._open(metadata)

    def _open(self, metadata: Iterable[tuple[str, Any]] | None) -> None:
        SERVER_ACTIVE.series((self._method,)).inc()
        given = {key: value for key, value in metadata or () if key in _HEADERS and isinstance(value, str)}
        self._undo.enter_context(context.extract(given))
        self.request_id = context.request_id.get() or context.new_request_id()
        self._undo.callback(context.leave, context.request_id.set(self.request_id))
        self._span = traces.start(
            self._method, "server", {"rpc.system.name": _SYSTEM, "rpc.method": self._method}
        )

    def seconds(self) -> float:
        """Return how long the call has taken so far."""
        return clock.elapsed() - self._start

    def end(self, code: str, error: BaseException | None = None) -> None:
        """Record everything about the call; called once, however it ended."""
        with guard.contained("integration"):
            self._record(code, error if not self.aborted else None)
        traces.end(self._span, error if not self.aborted else None)
        with guard.contained("integration"):
            self._undo.close()

    def _record(self, code: str, error: BaseException | None) -> None:
        seconds = self.seconds()
        SERVER_ACTIVE.series((self._method,)).inc(-1)
        values = (_SYSTEM, self._method, code)
        SERVER_DURATION.series(values).observe(seconds)
        SERVER_CALLS.series(values).inc()
        if isinstance(error, Exception):
            crashes.unhandled(
                error,
                "rpc",
                f"unhandled exception in {self._method}",
                event="rpc.exception",
                method=self._method,
            )
        if self._span is not None:
            self._span.set({"rpc.response.status_code": code})
            if code in _FAULTS and error is None:
                self._span.fail(None, code)
        settings = live.settings()
        if settings is not None and settings.access_log:
            write = _access.error if code in _FAULTS else _access.info
            write(
                f"{self._method} {code}",
                event="rpc.request", method=self._method, status=code, duration=round(seconds, 6),
            )  # fmt: skip


def refuse(method: str) -> None:
    """Record a call that the server has no handler for."""
    if not is_quiet(method):
        with guard.contained("integration"):
            values = (_SYSTEM, UNMATCHED, "UNIMPLEMENTED")
            SERVER_DURATION.series(values).observe(0.0)
            SERVER_CALLS.series(values).inc()


class Called:
    """One call that the host makes, until its status is known. Every method is safe."""

    def __init__(self, method: str, address: str) -> None:
        self._start = clock.elapsed()
        self._method = _bounded(method.lstrip("/"))
        self._address = address
        self._ended = False
        self._span: live.Span | None = None
        #: What goes with the call: lower-case keys, as gRPC insists.
        self.metadata: Mapping[str, str] = {}
        with guard.contained("integration"):
            told = {"rpc.system.name": _SYSTEM, "rpc.method": self._method, "server.address": address}
            self._span = traces.start(self._method, "client", told)
            if context.propagates_to(address):
                self.metadata = {key.lower(): value for key, value in context.inject().items()}
            if self._span is not None:
                # The call may go on for long after the host has gone on in its own span.
                self._span.pause()

    def end(self, code: str) -> None:
        """Record the call once, however often this is called, from any thread."""
        if self._ended:
            return
        self._ended = True
        with guard.contained("integration"):
            values = (_SYSTEM, self._method, code, self._address)
            CLIENT_DURATION.series(values).observe(clock.elapsed() - self._start)
            CLIENT_CALLS.series(values).inc()
            if self._span is not None:
                self._span.set({"rpc.response.status_code": code})
                if code != "OK":
                    self._span.fail(None, code)
        traces.end(self._span, None)


def address_of(target: str) -> str:
    """Return the host in a gRPC target such as ``dns:///orders:50051``; "localhost" for a local socket."""
    scheme, found, rest = target.partition(":")
    if found and scheme in {"unix", "unix-abstract", "vsock"}:
        return "localhost"
    if found and (scheme in {"ipv4", "ipv6", "xds"} or rest.startswith("//")):
        # The authority of dns://8.8.8.8/orders:50051 is the name server.
        target = rest[2:].partition("/")[2] if rest.startswith("//") else rest
    elif scheme == "dns" and not rest.isdigit():
        target = rest
    first = target.partition(",")[0]
    if first.startswith("["):
        return first[1:].partition("]")[0]
    return first if first.count(":") > 1 else first.partition(":")[0]


def _bounded(method: str) -> str:
    if method not in _methods:
        if len(_methods) >= _MOST_METHODS:
            return UNMATCHED
        _methods.add(method)
    return method


_access = logger.get_logger("obs.access")
