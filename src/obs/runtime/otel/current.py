"""Spans in progress as the runtime sees them: each is current until it ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.trace import Status, StatusCode

from obs.runtime import context
from obs.runtime.otel import attributes as cleaned
from obs.runtime.otel.span import RecordedSpan, told
from obs.runtime.redaction import NAME_LIMIT, plain_text


class Current:
    """What the three kinds have in common: to be current, and to end once."""

    __slots__ = ("_open", "_span", "_token", "here")

    _span: trace.Span

    def _enter(self, span: trace.Span, above: otel_context.Context) -> None:
        self._span = span
        self._open = True
        #: The context in which the span is the current one.
        self.here = trace.set_span_in_context(span, above)
        self._token: Any = otel_context.attach(self.here)

    def _finish(self) -> None:
        raise NotImplementedError

    def finish(self) -> None:
        """End the span, which stays current until `end`."""
        if self._open:
            self._open = False
            self._finish()

    def pause(self) -> None:
        """Restore what was current before, without an end."""
        token, self._token = self._token, None
        if token is not None:
            # Not OpenTelemetry's own detach, which logs an error when a generator ends elsewhere.
            context.leave(token)

    def resume(self) -> None:
        """Make the span the current one again."""
        if self._token is None:
            self._token = otel_context.attach(trace.set_span_in_context(self._span))

    def end(self) -> None:
        """End the span and restore what was current before it."""
        try:
            self.finish()
        finally:
            self.pause()


class CurrentSpan(Current):
    """A recorded span of our own."""

    __slots__ = ()

    _span: RecordedSpan

    def __init__(self, span: RecordedSpan, above: otel_context.Context) -> None:
        self._enter(span, above)

    def set(self, attributes: Mapping[str, Any]) -> None:
        """Add attributes, cleaned of secrets."""
        self._span.set_attributes(attributes)

    def event(self, name: str, attributes: Mapping[str, Any]) -> None:
        """Add an event at this moment."""
        self._span.add_event(name, attributes)

    def rename(self, name: str) -> None:
        """Replace the name."""
        self._span.update_name(name)

    def fail(self, error: BaseException | None, description: str = "") -> None:
        """Mark the span failed, with the error and its stack when there is one."""
        if self._open:
            self._span.fail(error, description)

    def _finish(self) -> None:
        self._span.end()


#: Makes the span that is recorded after all: from name, start in nanoseconds, and why.
Rescue = Callable[[str, int, str], RecordedSpan]


class UnrecordedSpan(Current):
    """A span that has ids only; a local root keeps what it takes to record it at its end after all."""

    __slots__ = ("_error", "_failed", "_given", "_name", "_rescue", "_slow", "_start")

    def __init__(
        self, span: trace.Span, above: otel_context.Context, rescue: Rescue | None, slow: float, name: str
    ) -> None:
        self._rescue = rescue
        if rescue is not None:
            self._name, self._slow = name, slow
            self._start = time.time_ns()
            self._failed = False
            self._error: tuple[BaseException | None, str] = (None, "")
            self._given: list[Mapping[str, Any]] = []
        self._enter(span, above)

    def set(self, attributes: Mapping[str, Any]) -> None:
        """Keep `attributes` as they are, in case that they are wanted."""
        if self._rescue is not None and len(self._given) < cleaned.MOST:
            self._given.append(attributes)

    def event(self, name: str, attributes: Mapping[str, Any]) -> None:
        """Do nothing: what happens inside is what is not sampled."""

    def rename(self, name: str) -> None:
        """Replace the name."""
        if self._rescue is not None:
            self._name = name

    def fail(self, error: BaseException | None, description: str = "") -> None:
        """Have the span recorded after all."""
        if self._rescue is not None and self._open:
            self._failed = True
            if self._error[0] is None:
                self._error = (error, description)

    def _finish(self) -> None:
        rescue = self._rescue
        if rescue is None:
            return
        if not self._failed and time.time_ns() - self._start < self._slow * 1e9:
            return
        span = rescue(plain_text(self._name, NAME_LIMIT), self._start, "failed" if self._failed else "slow")
        for attributes in self._given:
            span.set_attributes(attributes)
        if self._failed:
            span.fail(*self._error)
        span.end()


class HostSpan(Current):
    """A span of the provider that the host has set up, to be cleaned on the way in."""

    __slots__ = ()

    def __init__(self, span: trace.Span, above: otel_context.Context) -> None:
        self._enter(span, above)

    def set(self, attributes: Mapping[str, Any]) -> None:
        """Add attributes, cleaned of secrets."""
        if self._span.is_recording():
            self._span.set_attributes(cleaned.clean(attributes))

    def event(self, name: str, attributes: Mapping[str, Any]) -> None:
        """Add an event at this moment."""
        if self._span.is_recording():
            self._span.add_event(plain_text(name, NAME_LIMIT), cleaned.clean(attributes))

    def rename(self, name: str) -> None:
        """Replace the name."""
        if self._span.is_recording():
            self._span.update_name(plain_text(name, NAME_LIMIT))

    def fail(self, error: BaseException | None, description: str = "") -> None:
        """Mark the span failed, with the error and its stack when there is one."""
        if not self._span.is_recording():
            return
        if error is None:
            self._span.set_status(Status(StatusCode.ERROR, plain_text(description) or None))
            return
        facts = told(error)
        self._span.add_event("exception", facts)
        self._span.set_attribute("error.type", facts["exception.type"])
        self._span.set_status(
            Status(StatusCode.ERROR, f"{facts['exception.type']}: {facts['exception.message']}")
        )

    def _finish(self) -> None:
        self._span.end()
