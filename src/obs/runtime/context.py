"""What a line, a span and a response header agree on: ids, and the fields bound around them."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar, Token
from types import MappingProxyType
from typing import Any, NamedTuple

from obs.runtime import live

#: What a request id may look like when it comes from outside: it is echoed in a response header
#: and written into logs, so nothing that could end a line or a header is let in.
REQUEST_ID = re.compile(rb"[A-Za-z0-9._~:/+=@-]{1,128}\Z")
_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?\Z")
_TRACESTATE_LIMIT = 512

_EMPTY: Mapping[str, Any] = MappingProxyType({})
#: Fields of `bind`, for every line and span below it.
bound: ContextVar[Mapping[str, Any]] = ContextVar("obs_bound", default=_EMPTY)
request_id: ContextVar[str] = ContextVar("obs_request_id", default="")


class Ids(NamedTuple):
    """The ids of this moment; empty text where there is none."""

    trace_id: str
    span_id: str
    request_id: str


class Parent(NamedTuple):
    """The span of a caller, as its `traceparent` header told."""

    trace_id: str
    span_id: str
    sampled: bool
    state: str


def ids() -> Ids:
    """Return the trace, span and request id of this moment, empty outside of any."""
    trace_id, span_id, _ = live.span_ids()
    return Ids(trace_id, span_id, request_id.get())


def leave(token: Token[Any]) -> None:
    """Undo what made `token`, where that is still to be undone.

    A generator may end in another context than it began in: FastAPI runs each half of a plain
    dependency, Starlette each step of a plain streaming body, in a context of its own. What was set
    has gone with the first one then.
    """
    try:
        token.var.reset(token)
    except ValueError:
        return


@contextmanager
def bind(**fields: Any) -> Iterator[None]:
    """Put `fields` on every log line and span started inside the block.

    Blocks nest, follow `await`, and do not leak into other tasks or threads.
    """
    token = bound.set(MappingProxyType({**bound.get(), **fields}))
    try:
        yield
    finally:
        leave(token)


def new_request_id() -> str:
    """Return a fresh request id, 32 hexadecimal digits."""
    return secrets.token_hex(16)


def parse_traceparent(header: str, state: str = "") -> Parent | None:
    """Return the caller's span, or None when `header` is not W3C Trace Context."""
    match = _TRACEPARENT.match(header)
    if match is None:
        return None
    version, trace_id, span_id, flags, rest = match.groups()
    if version == "ff" or (version == "00" and rest) or not int(trace_id, 16) or not int(span_id, 16):
        return None
    usable = state if len(state) <= _TRACESTATE_LIMIT and state.isprintable() else ""
    return Parent(trace_id, span_id, bool(int(flags, 16) & 1), usable)


def traceparent() -> str:
    """Return the `traceparent` header of the current span, empty outside of any."""
    trace_id, span_id, sampled = live.span_ids()
    return f"00-{trace_id}-{span_id}-{'01' if sampled else '00'}" if trace_id else ""


def inject(headers: MutableMapping[str, str] | None = None) -> MutableMapping[str, str]:
    """Add `traceparent` and `X-Request-ID` of this moment to `headers`, and return them."""
    carrier: MutableMapping[str, str] = {} if headers is None else headers
    parent = traceparent()
    if parent:
        carrier["traceparent"] = parent
    request = request_id.get()
    if request:
        carrier["X-Request-ID"] = request
    return carrier


@contextmanager
def extract(headers: Mapping[str, str]) -> Iterator[None]:
    """Continue, inside the block, the trace and request id that `headers` carry.

    For messages from a queue: values are checked as strictly as those of an HTTP request, and
    ignored when they are not trusted (setting `trust_incoming`) or malformed.
    """
    settings = live.settings()
    trusted = settings is None or settings.trust_incoming
    lower = {str(key).lower(): str(value) for key, value in headers.items()} if trusted else {}
    given = lower.get("x-request-id", "")
    token = request_id.set(given if REQUEST_ID.match(given.encode("utf-8", "replace")) else "")
    parent = parse_traceparent(lower.get("traceparent", ""), lower.get("tracestate", ""))
    undo = live.enter_parent(parent) if parent else None
    try:
        yield
    finally:
        if undo is not None:
            undo()
        leave(token)
