"""One permanent TracerProvider that delegates to whatever is configured now.

OpenTelemetry accepts a global provider only once, and libraries keep the tracers they got from
it, so ours stays for the life of the process while its back end comes, changes and goes.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace.sampling import TraceIdRatioBased
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    TraceFlags,
    Tracer,
    TracerProvider,
)
from opentelemetry.util.types import Attributes


class IdTracer(Tracer):
    """Makes spans that carry ids and are recorded nowhere: cheap, for a process without exporter."""

    def __init__(self, ratio: float) -> None:
        self._bound = TraceIdRatioBased(ratio).bound
        # Not for secrets; Python seeds this generator anew in a forked child.
        self._bits = random.getrandbits

    def start_span(self, name: str, context: Context | None = None, *_: Any, **__: Any) -> Span:  # noqa: ARG002
        """Return a span with ids of its own below the current one."""
        parent = trace.get_current_span(context).get_span_context()
        if parent.is_valid:
            trace_id, flags, state = parent.trace_id, parent.trace_flags, parent.trace_state
        else:
            trace_id = self._bits(128) or 1
            sampled = trace_id & TraceIdRatioBased.TRACE_ID_LIMIT < self._bound
            flags, state = TraceFlags(TraceFlags.SAMPLED if sampled else TraceFlags.DEFAULT), None
        return NonRecordingSpan(
            SpanContext(trace_id, self._bits(64) or 1, is_remote=False, trace_flags=flags, trace_state=state)
        )

    @contextmanager
    def start_as_current_span(  # type: ignore[override]  # the API's own decorator class is private
        self, name: str, context: Context | None = None, *_: Any, **__: Any
    ) -> Iterator[Span]:
        """Return a block in which a new span is current."""
        with trace.use_span(self.start_span(name, context)) as span:
            yield span


class _DelegatingTracer(Tracer):
    def __init__(self, provider: DelegatingProvider, arguments: tuple[Any, ...]) -> None:
        self._provider = provider
        self._arguments = arguments
        self._generation = -1
        self._tracer: Tracer = trace.NoOpTracer()

    def _current(self) -> Tracer:
        if self._generation != self._provider.generation:
            self._generation = self._provider.generation
            self._tracer = self._provider.backend.get_tracer(*self._arguments)
        return self._tracer

    def start_span(self, *arguments: Any, **keywords: Any) -> Span:
        return self._current().start_span(*arguments, **keywords)

    def start_as_current_span(self, *arguments: Any, **keywords: Any) -> Any:
        return self._current().start_as_current_span(*arguments, **keywords)


class _IdProvider(TracerProvider):
    def __init__(self, ratio: float) -> None:
        self._tracer = IdTracer(ratio)

    def get_tracer(self, *_: Any, **__: Any) -> Tracer:
        return self._tracer


class DelegatingProvider(TracerProvider):
    """The provider that obs registers once and keeps."""

    def __init__(self) -> None:
        self.backend: TracerProvider = trace.NoOpTracerProvider()
        self.generation = 0

    def delegate_to(self, backend: TracerProvider | None) -> None:
        """Send spans of old and new tracers to `backend`; None makes them do nothing."""
        self.backend = backend if backend is not None else trace.NoOpTracerProvider()
        self.generation += 1

    def delegate_ids(self, ratio: float) -> None:
        """Make spans that carry ids only; a new trace counts as sampled with `ratio`."""
        self.delegate_to(_IdProvider(ratio))

    def get_tracer(
        self,
        instrumenting_module_name: str,
        instrumenting_library_version: str | None = None,
        schema_url: str | None = None,
        attributes: Attributes = None,
    ) -> Tracer:
        """Return a tracer that follows the back end of the moment."""
        return _DelegatingTracer(
            self, (instrumenting_module_name, instrumenting_library_version, schema_url, attributes)
        )


OURS = DelegatingProvider()
KINDS = {
    "internal": SpanKind.INTERNAL,
    "server": SpanKind.SERVER,
    "client": SpanKind.CLIENT,
    "producer": SpanKind.PRODUCER,
    "consumer": SpanKind.CONSUMER,
}


def claim() -> tuple[TracerProvider, bool]:
    """Register ours as the global provider; return the one in force and whether it is the host's."""
    current = trace.get_tracer_provider()
    if current is OURS:
        return OURS, False
    if isinstance(current, trace.ProxyTracerProvider):
        trace.set_tracer_provider(OURS)
        return OURS, False
    return current, True
