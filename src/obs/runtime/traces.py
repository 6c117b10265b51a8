"""Spans of the face: a block, an asynchronous block, or a decorator of functions and generators."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from obs.errors import ConfigError
from obs.runtime import guard, live
from obs.runtime.block import Block

Kind: TypeAlias = Literal["internal", "server", "client", "producer", "consumer"]
_KINDS = ("internal", "server", "client", "producer", "consumer")


class ActiveSpan:
    """The span of a block; does nothing while tracing is off."""

    __slots__ = ("_span",)

    def __init__(self, span: live.Span | None) -> None:
        self._span = span

    def set(self, /, **attributes: Any) -> None:
        """Add attributes; secrets are masked by their keys."""
        if self._span is not None:
            # Not `guard.contained`, whose entry and exit cost as much as the rest of this.
            try:
                self._span.set(attributes)
            except Exception as error:
                guard.report("traces", error)

    def event(self, name: str, /, **attributes: Any) -> None:
        """Add an event at this moment."""
        with guard.contained("traces"):
            if self._span is not None:
                self._span.event(name, attributes)

    def fail(self, description: str = "") -> None:
        """Mark the span failed without an exception."""
        with guard.contained("traces"):
            if self._span is not None:
                self._span.fail(None, description)


class SpanBlock(Block):
    """A span around a block or a function."""

    def __init__(self, name: str, attributes: Mapping[str, Any] | None, kind: Kind) -> None:
        super().__init__()
        self._name = name
        self._attributes = dict(attributes or {})
        self._kind = kind

    def _open(self) -> ActiveSpan:
        return ActiveSpan(start(self._name, self._kind, self._attributes))

    def _close(self, opened: ActiveSpan, error: BaseException | None) -> None:
        end(opened._span, error)  # noqa: SLF001 - made by this very class

    def _span_of(self, opened: ActiveSpan) -> live.Span | None:
        return opened._span  # noqa: SLF001

    def __enter__(self) -> ActiveSpan:
        opened = self._open()
        self._opened.append(opened)
        return opened

    async def __aenter__(self) -> ActiveSpan:
        return self.__enter__()


def span(name: str, attributes: Mapping[str, Any] | None = None, /, *, kind: Kind = "internal") -> SpanBlock:
    """Return a span for `with`, `async with` or as a decorator; errors pass and mark it failed.

    As a block it is for one run at a time: make it where it is used.

    Raises `ConfigError` for an unknown kind and for attributes that are no mapping.
    """
    if attributes is not None and not isinstance(attributes, Mapping):
        raise ConfigError(
            f"span {name!r}: got {attributes!r}, expected a mapping", hint='obs.span("pack", {"order": 7})'
        )
    if kind not in _KINDS:
        raise ConfigError(f"span kind: got {kind!r}, expected one of {', '.join(_KINDS)}")
    return SpanBlock(name, attributes, kind)


def start(name: str, kind: str, attributes: Mapping[str, Any]) -> live.Span | None:
    """Start a span below the current one, guarded; None while tracing is off or broken."""
    backend = live.tracing()
    if backend is None:
        return None
    try:
        return backend.start(name, kind, attributes, None)
    except Exception as error:
        guard.report("traces", error)
        return None


def end(started: live.Span | None, error: BaseException | None) -> None:
    """End a span, marked failed when there is an `Exception`."""
    if started is None:
        return
    if isinstance(error, Exception):
        with guard.contained("traces"):
            started.fail(error)
    try:
        started.end()
    except Exception as failure:
        guard.report("traces", failure)
