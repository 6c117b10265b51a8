"""What is running now: the leaf through which the pillars find settings and the tracing back end.

`setup` alone writes here. Everything else reads, and does nothing useful while nothing runs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from obs.runtime.context import Parent
    from obs.runtime.settings import Settings


class Span(Protocol):
    """A span in progress, whoever makes it."""

    def set(self, attributes: Mapping[str, Any]) -> None:
        """Add attributes, cleaned of secrets."""

    def event(self, name: str, attributes: Mapping[str, Any]) -> None:
        """Add an event at this moment."""

    def rename(self, name: str) -> None:
        """Replace the name."""

    def fail(self, error: BaseException | None, description: str = "") -> None:
        """Mark the span failed, with the error and its stack when there is one."""

    def finish(self) -> None:
        """End the span, which stays current until `end`: for work that outlives what it measures."""

    def pause(self) -> None:
        """Restore what was current before, without an end: a generator waits for its consumer."""

    def resume(self) -> None:
        """Make the span the current one again."""

    def end(self) -> None:
        """End the span and restore what was current before it."""


class Tracing(Protocol):
    """The tracing back end; the `otel` room has the real one."""

    def current(self) -> tuple[str, str, bool]:
        """Return trace id, span id and whether it is sampled; empty text outside of a span."""

    def mark(self) -> None:
        """Note on the current span that a metric's exemplar points to it."""

    def state(self) -> str:
        """Return the `tracestate` header of the current span."""

    def baggage(self) -> Mapping[str, object]:
        """Return what the host has put into OpenTelemetry's baggage."""

    def start(self, name: str, kind: str, attributes: Mapping[str, Any], parent: Parent | None) -> Span:
        """Start a span and make it the current one."""

    def enter(self, parent: Parent) -> Callable[[], None]:
        """Make a remote span the current one; return what undoes that."""


_EMPTY: Mapping[str, object] = MappingProxyType({})
_settings: Settings | None = None
_tracing: Tracing | None = None


def run(settings: Settings | None, tracing: Tracing | None) -> None:
    """Say what runs from now on."""
    global _settings, _tracing
    _settings, _tracing = settings, tracing


def settings() -> Settings | None:
    """Return the settings in force; None while `init()` has not run."""
    return _settings


def tracing() -> Tracing | None:
    """Return the tracing back end; None while tracing is off."""
    return _tracing


def span_ids() -> tuple[str, str, bool]:
    """Return trace id, span id and sampled flag of the current span, or empty ones."""
    backend = _tracing
    return backend.current() if backend is not None else ("", "", False)


def mark_span() -> None:
    """Note on the current span that a metric's exemplar points to it, so that sampling keeps its trace."""
    backend = _tracing
    if backend is not None:
        backend.mark()


def enter_parent(parent: Parent) -> Callable[[], None] | None:
    """Make a remote span the current one; None while tracing is off."""
    backend = _tracing
    return backend.enter(parent) if backend is not None else None


def trace_state() -> str:
    """Return the `tracestate` header of the current span, empty when there is none."""
    backend = _tracing
    return backend.state() if backend is not None else ""


def trace_baggage() -> Mapping[str, object]:
    """Return what the host has put into OpenTelemetry's baggage."""
    backend = _tracing
    return backend.baggage() if backend is not None else _EMPTY
