"""One permanent TracerProvider that delegates to whatever is configured now.

OpenTelemetry accepts a global provider only once, and libraries keep the tracers they got from
it, so ours stays for the life of the process while its back end comes, changes and goes.
"""

from __future__ import annotations

from typing import Any

from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, Tracer, TracerProvider
from opentelemetry.util.types import Attributes


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


class DelegatingProvider(TracerProvider):
    """The provider that obs registers once and keeps."""

    def __init__(self) -> None:
        self.backend: TracerProvider = trace.NoOpTracerProvider()
        self.generation = 0

    def delegate_to(self, backend: TracerProvider | None) -> None:
        """Send spans of old and new tracers to `backend`; None makes them do nothing."""
        self.backend = backend if backend is not None else trace.NoOpTracerProvider()
        self.generation += 1

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
