"""Spans shown to the test kit, with ids that are the same in every run."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any
from weakref import WeakSet

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.trace import TracerProvider

from obs.runtime import guard, recording


class CountedIds(IdGenerator):
    """Trace and span ids that count from 1."""

    def __init__(self) -> None:
        self._traces = itertools.count(1)
        self._spans = itertools.count(1)

    def generate_trace_id(self) -> int:
        """Return the next trace id."""
        return next(self._traces)

    def generate_span_id(self) -> int:
        """Return the next span id."""
        return next(self._spans)


class Recorded(SpanProcessor):
    """Shows each span that has ended to whoever records now."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:  # noqa: ARG002 - the interface
        """Tell that the span has begun."""
        recorder = recording.recorder()
        if recorder is not None and span.context is not None:
            recorder.began(f"{span.context.span_id:016x}")

    def on_end(self, span: ReadableSpan) -> None:
        """Show the span as plain data."""
        recorder = recording.recorder()
        if recorder is not None:
            with guard.contained("traces"):
                recorder.span(_plain(span))


_watched: WeakSet[TracerProvider] = WeakSet()


def watch(provider: TracerProvider) -> None:
    """Show the spans of the host's own provider too, where it is OpenTelemetry's SDK."""
    add: Any = getattr(provider, "add_span_processor", None)
    if add is not None and provider not in _watched:
        # It cannot be taken out again; without a recorder it does nothing.
        _watched.add(provider)
        add(Recorded())


def _plain(span: Any) -> Mapping[str, Any]:
    """Return a span of ours, or one of the SDK's where the host has a provider of its own."""
    context = span.context
    parent = span.parent
    scope = span.instrumentation_scope if isinstance(span, ReadableSpan) else span.scope
    return {
        "name": span.name,
        "kind": span.kind.name.lower(),
        "trace_id": f"{context.trace_id:032x}" if context is not None else "",
        "span_id": f"{context.span_id:016x}" if context is not None else "",
        "parent_id": f"{parent.span_id:016x}" if parent is not None else "",
        "status": span.status.status_code.name.lower(),
        "description": span.status.description or "",
        "attributes": dict(span.attributes or {}),
        "events": [(event.name, dict(event.attributes or {})) for event in span.events],
        "scope": scope.name if scope is not None else "",
    }
