"""Spans of the face: a block, an asynchronous block, or a decorator."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Literal, ParamSpec, TypeAlias, TypeVar, cast

from obs.errors import ConfigError
from obs.runtime import guard, live

P = ParamSpec("P")
R = TypeVar("R")
Kind: TypeAlias = Literal["internal", "server", "client", "producer", "consumer"]
_KINDS = ("internal", "server", "client", "producer", "consumer")


class ActiveSpan:
    """The span of a block; does nothing while tracing is off."""

    __slots__ = ("_span",)

    def __init__(self, span: live.Span | None) -> None:
        self._span = span

    def set(self, /, **attributes: Any) -> None:
        """Add attributes; secrets are masked by their keys."""
        with guard.contained("traces"):
            if self._span is not None:
                self._span.set(attributes)

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


class Block:
    """What `with`, `async with` and a decorator have in common; each entry is a run of its own."""

    def _open(self) -> Any:
        raise NotImplementedError

    def _close(self, opened: Any, error: BaseException | None) -> None:
        raise NotImplementedError

    def __init__(self) -> None:
        # A stack, because one block may be entered again inside itself.
        self._opened: list[Any] = []

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close(self._opened.pop(), error)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close(self._opened.pop(), error)

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """Run each call of `function`, plain or asynchronous, in a block of its own."""
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def asynchronous(*args: P.args, **kwargs: P.kwargs) -> Any:
                opened = self._open()
                error: BaseException | None = None
                try:
                    return await function(*args, **kwargs)
                except BaseException as raised:
                    error = raised
                    raise
                finally:
                    self._close(opened, error)

            return cast("Callable[P, R]", asynchronous)

        @functools.wraps(function)
        def plain(*args: P.args, **kwargs: P.kwargs) -> R:
            opened = self._open()
            error: BaseException | None = None
            try:
                return function(*args, **kwargs)
            except BaseException as raised:
                error = raised
                raise
            finally:
                self._close(opened, error)

        return plain


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
    with guard.contained("traces"):
        return backend.start(name, kind, attributes, None)
    return None


def end(started: live.Span | None, error: BaseException | None) -> None:
    """End a span, marked failed when there is an `Exception`."""
    if started is None:
        return
    with guard.contained("traces"):
        if isinstance(error, Exception):
            started.fail(error)
    with guard.contained("traces"):
        started.end()
