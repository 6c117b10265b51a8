"""A span that is recorded: what OpenTelemetry's API asks of one, cleaned and bounded.

The SDK's own span costs several times as much, and keeps what it is given as it is given.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, NamedTuple

from opentelemetry import trace
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode

from obs.runtime.otel import attributes as cleaned
from obs.runtime.redaction import NAME_LIMIT, STACK_LIMIT, plain_text

#: Most events and links of a span, as OpenTelemetry's own default has it.
_MOST = 128
_NO_STATUS = Status(StatusCode.UNSET)


class Scope(NamedTuple):
    """Who made a span: a library, or obs."""

    name: str
    version: str = ""
    schema_url: str = ""
    attributes: tuple[tuple[str, Any], ...] = ()


class Event(NamedTuple):
    """Something that happened during a span; time in nanoseconds since the Unix epoch."""

    name: str
    timestamp: int
    attributes: Mapping[str, Any]


class Link(NamedTuple):
    """Another span that this one has to do with."""

    context: SpanContext
    attributes: Mapping[str, Any]


class RecordedSpan(trace.Span):
    """A span that goes to the exporter when it ends."""

    def __init__(  # noqa: PLR0917 - on the path of every span
        self,
        name: str,
        context: SpanContext,
        parent: SpanContext | None,
        kind: SpanKind,
        scope: Scope,
        start_time: int,
        ended: Callable[[RecordedSpan], None],
    ) -> None:
        self.name, self.context, self.parent, self.kind = name, context, parent, kind
        self.scope = scope
        self.start_time, self.end_time = start_time, 0
        self.attributes: dict[str, Any] = {}
        self.events: list[Event] = []
        self.links: list[Link] = []
        self.status = _NO_STATUS
        self.dropped_attributes = self.dropped_events = self.dropped_links = 0
        self._ended = ended

    @property
    def instrumentation_scope(self) -> Scope:
        """The scope, as OpenTelemetry's SDK calls it."""
        return self.scope

    def get_span_context(self) -> SpanContext:
        """Return the ids."""
        return self.context

    def is_recording(self) -> bool:
        """Return whether the span has not ended."""
        return not self.end_time

    def set_attributes(self, attributes: Mapping[str, Any]) -> None:
        """Add attributes, cleaned of secrets."""
        if self.end_time:
            return
        own = self.attributes
        own.update(cleaned.clean(attributes))
        if len(attributes) > cleaned.MOST:
            self.dropped_attributes += len(attributes) - cleaned.MOST
        while len(own) > cleaned.MOST:
            own.popitem()
            self.dropped_attributes += 1

    def set_attribute(self, key: str, value: Any) -> None:
        """Add one attribute, cleaned of secrets."""
        self.set_attributes({key: value})

    def add_event(
        self, name: str, attributes: Mapping[str, Any] | None = None, timestamp: int | None = None
    ) -> None:
        """Add an event, now or at `timestamp`."""
        self.happen(plain_text(name, NAME_LIMIT), cleaned.clean(attributes or {}), timestamp)

    def happen(self, name: str, plain: dict[str, Any], timestamp: int | None = None) -> None:
        """Add an event that has been cleaned already."""
        if self.end_time:
            return
        if len(self.events) >= _MOST:
            self.dropped_events += 1
            return
        self.events.append(Event(name, timestamp or time.time_ns(), plain))

    def add_link(self, context: SpanContext, attributes: Mapping[str, Any] | None = None) -> None:
        """Note a span that this one has to do with."""
        if len(self.links) >= _MOST:
            self.dropped_links += 1
        elif context.is_valid:
            self.links.append(Link(context, cleaned.clean(attributes or {})))

    def update_name(self, name: str) -> None:
        """Replace the name."""
        if not self.end_time:
            self.name = plain_text(name, NAME_LIMIT)

    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        """Say how it went; OK is the last word."""
        if self.end_time or self.status.status_code is StatusCode.OK:
            return
        code, text = (
            (status, description)
            if isinstance(status, StatusCode)
            else (status.status_code, status.description)
        )
        if code is not StatusCode.UNSET:
            said = plain_text(text) if text and code is StatusCode.ERROR else None
            self.status = Status(code, said)

    def record_exception(
        self,
        exception: BaseException,
        attributes: Mapping[str, Any] | None = None,
        timestamp: int | None = None,
        escaped: bool = False,
    ) -> None:
        """Add an event with the error and its stack; whether it `escaped` is deprecated and left out."""
        del escaped
        self.happen("exception", {**told(exception), **cleaned.clean(attributes or {})}, timestamp)

    def end(self, end_time: int | None = None) -> None:
        """End the span, once."""
        if not self.end_time:
            self.end_time = end_time or time.time_ns()
            self._ended(self)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        if isinstance(error, Exception):
            self.fail(error)
        self.end()

    def fail(self, error: BaseException | None, description: str = "") -> None:
        """Mark the span failed, with the error and its stack when there is one."""
        if error is None:
            self.set_status(StatusCode.ERROR, description or None)
            return
        facts = told(error)
        self.happen("exception", facts)
        self.attributes["error.type"] = facts["exception.type"]
        self.set_status(StatusCode.ERROR, f"{facts['exception.type']}: {facts['exception.message']}")


def told(error: BaseException) -> dict[str, Any]:
    """Return what the conventions say of an exception, cleaned."""
    stack = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    return {
        "exception.type": type(error).__qualname__,
        "exception.message": plain_text(error),
        "exception.stacktrace": plain_text(stack, STACK_LIMIT),
    }
