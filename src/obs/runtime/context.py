"""What a line, a span and a response header agree on: ids, and the fields bound around them."""

from __future__ import annotations

import os
import random
import re
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar, Token
from types import MappingProxyType
from typing import Any, NamedTuple

from obs.runtime import baggage, guard, hosts, live

#: What a request id may look like when it comes from outside: it is echoed in a response header
#: and written into logs, so nothing that could end a line or a header is let in.
REQUEST_ID = re.compile(rb"[A-Za-z0-9._~:/+=@-]{1,128}\Z")
_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?\Z")
_TRACESTATE_LIMIT = 512

_EMPTY: Mapping[str, Any] = MappingProxyType({})
#: Fields of `bind`, for every line and span below it.
bound: ContextVar[Mapping[str, Any]] = ContextVar("obs_bound", default=_EMPTY)
request_id: ContextVar[str] = ContextVar("obs_request_id", default="")
#: W3C Baggage that a trusted caller sent: carried on, and read by nobody unless its key is allowed.
carried: ContextVar[Mapping[str, str]] = ContextVar("obs_baggage", default=_EMPTY)


class Client(NamedTuple):
    """Who called: the address as the server knows it, and what calls itself a user agent."""

    address: str = ""
    user_agent: str = ""


#: The caller of the request in progress; empty text outside of any.
client: ContextVar[Client] = ContextVar("obs_client", default=Client())  # noqa: B039 - a tuple


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


#: Ids are no secrets. Of our own, so that a host that seeds the common generator repeats none of them.
_random = random.Random()  # noqa: S311
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_random.seed)
random_bits = _random.getrandbits


def new_request_id() -> str:
    """Return a fresh request id, 32 hexadecimal digits."""
    return f"{random_bits(128):032x}"


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


def propagates_to(host: str) -> bool:
    """Return whether our headers may go to `host`, which may carry a port (setting `propagate_to`).

    False while obs is not running.
    """
    settings = live.settings()
    return settings is not None and hosts.allowed(host, settings.propagate_to)


def inject(headers: MutableMapping[str, str] | None = None) -> MutableMapping[str, str]:
    """Add `traceparent`, `tracestate`, `baggage` and `X-Request-ID` of this moment to `headers`; return them.

    Call it for what stays in the house: see setting `propagate_to`.
    """
    carrier: MutableMapping[str, str] = {} if headers is None else headers
    with guard.contained("traces"):
        _fill(carrier)
    return carrier


def _fill(carrier: MutableMapping[str, str]) -> None:
    parent = traceparent()
    if parent:
        carrier["traceparent"] = parent
    state = live.trace_state()
    if state:
        carrier["tracestate"] = state
    request = request_id.get()
    if request:
        carrier["X-Request-ID"] = request
    # Last, because a member of the host's may be impossible to write out.
    members = {**carried.get(), **live.trace_baggage()}
    if members and (text := baggage.render(members)):
        carrier["baggage"] = text


def take_baggage(header: str) -> Callable[[], None]:
    """Carry on what a trusted caller's `baggage` header holds; return what undoes that.

    Members whose key is allowed (setting `baggage_keys`) become fields of lines and spans.
    """
    members = baggage.parse(header)
    settings = live.settings()
    if not members:
        return _nothing
    tokens: list[Token[Any]] = [carried.set(MappingProxyType(members))]
    keys = settings.baggage_keys if settings is not None else ()
    fields = {key: members[key] for key in keys if key in members}
    if fields:
        tokens.append(bound.set(MappingProxyType({**bound.get(), **fields})))

    def undo() -> None:
        for token in tokens:
            leave(token)

    return undo


def _nothing() -> None:
    return None


@contextmanager
def extract(headers: Mapping[str, str]) -> Iterator[None]:
    """Continue, inside the block, the trace, baggage and request id that `headers` carry.

    For messages from a queue: values are checked as strictly as those of an HTTP request, and
    ignored when they are not trusted (setting `trust_incoming`) or malformed.
    """
    undo = ExitStack()
    with guard.contained("traces"):
        _enter(headers, undo)
    try:
        yield
    finally:
        with guard.contained("traces"):
            undo.close()


def _enter(headers: Mapping[str, str], undo: ExitStack) -> None:
    settings = live.settings()
    trusted = settings is None or settings.trust_incoming
    lower = {str(key).lower(): str(value) for key, value in headers.items()} if trusted else {}
    given = lower.get("x-request-id", "")
    undo.callback(leave, request_id.set(given if REQUEST_ID.match(given.encode("utf-8", "replace")) else ""))
    undo.callback(take_baggage(lower.get("baggage", "")))
    parent = parse_traceparent(lower.get("traceparent", ""), lower.get("tracestate", ""))
    left = live.enter_parent(parent) if parent else None
    if left is not None:
        undo.callback(left)
