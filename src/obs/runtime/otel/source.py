"""Where spans begin: their ids, the decision at the head, and what becomes of them at their end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, SpanKind, Tracer, TracerProvider
from opentelemetry.util.types import Attributes

from obs.runtime import guard
from obs.runtime.context import random_bits
from obs.runtime.otel.sampling import SAMPLED, UNSAMPLED, Head
from obs.runtime.otel.span import RecordedSpan, Scope
from obs.runtime.redaction import NAME_LIMIT, plain_text


class Processor(Protocol):
    """Is shown every recorded span."""

    def on_start(self, span: Any, /) -> None:
        """Take note that `span` has begun."""

    def on_end(self, span: Any, /) -> None:
        """Take `span`, which has ended."""


class Ids(Protocol):
    """Makes trace and span ids."""

    def generate_trace_id(self) -> int:
        """Return a trace id of 128 bits, not zero."""

    def generate_span_id(self) -> int:
        """Return a span id of 64 bits, not zero."""


class Source:
    """Begins spans; without a processor they have ids and are recorded nowhere."""

    def __init__(self, head: Head, processors: Sequence[Processor], ids: Ids | None = None) -> None:
        self._head = head
        self._processors = tuple(processors)
        self._bits = random_bits
        self._ids = ids

    @property
    def records(self) -> bool:
        """Tell whether a sampled span goes anywhere."""
        return bool(self._processors)

    def context(self, above: SpanContext | None) -> SpanContext:
        """Return the ids of a new span below `above`, sampled or not."""
        ids = self._ids
        span_id = (self._bits(64) or 1) if ids is None else ids.generate_span_id()
        if above is None:
            trace_id = (self._bits(128) or 1) if ids is None else ids.generate_trace_id()
            return SpanContext(
                trace_id,
                span_id,
                is_remote=False,
                trace_flags=SAMPLED if self._head.chooses(trace_id) else UNSAMPLED,
            )
        flags = SAMPLED if self._head.follows(above) else UNSAMPLED
        return SpanContext(
            above.trace_id, span_id, is_remote=False, trace_flags=flags, trace_state=above.trace_state
        )

    def begin(  # noqa: PLR0917 - on the path of every span
        self,
        name: str,
        context: SpanContext,
        above: SpanContext | None,
        kind: SpanKind,
        scope: Scope,
        start_time: int | None = None,
    ) -> RecordedSpan:
        """Return a recorded span with the ids of `context`; `name` is plain."""
        span = RecordedSpan(name, context, above, kind, scope, start_time or time.time_ns(), self.end)
        for processor in self._processors:
            processor.on_start(span)
        return span

    def end(self, span: RecordedSpan) -> None:
        """Hand a span that has ended to everybody who wants it."""
        for processor in self._processors:
            # Not `contained`, which would cost every span a call more.
            try:
                processor.on_end(span)
            except Exception as error:  # noqa: PERF203 - one broken processor is not the next one's
                guard.report("traces", error)


class SourceTracer(Tracer):
    """The tracer of a library, whose spans are ours in all but their scope."""

    def __init__(self, source: Source, scope: Scope) -> None:
        self._source, self._scope = source, scope

    def start_span(  # noqa: PLR0917 - OpenTelemetry's own signature
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Attributes = None,
        links: Sequence[trace.Link] | None = None,
        start_time: int | None = None,
        record_exception: bool = True,  # noqa: ARG002 - those who end the span look at it
        set_status_on_exception: bool = True,  # noqa: ARG002
    ) -> Span:
        """Return a span below the current one, or below that of `context`."""
        found = trace.get_current_span(context).get_span_context()
        above = found if found.is_valid else None
        source = self._source
        ids = source.context(above)
        if not ids.trace_flags.sampled or not source.records:
            return NonRecordingSpan(ids)
        span = source.begin(plain_text(name, NAME_LIMIT), ids, above, kind, self._scope, start_time)
        if attributes:
            span.set_attributes(attributes)
        for link in links or ():
            span.add_link(link.context, link.attributes)
        return span

    def _start_as_current_span(  # noqa: PLR0917
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Attributes = None,
        links: Sequence[trace.Link] | None = None,
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
        end_on_exit: bool = True,
    ) -> Iterator[Span]:
        """Return a block in which a new span is current."""
        span = self.start_span(name, context, kind, attributes, links, start_time)
        with trace.use_span(
            span,
            end_on_exit=end_on_exit,
            record_exception=record_exception,
            set_status_on_exception=set_status_on_exception,
        ):
            yield span

    # OpenTelemetry's own decorator lets such a block decorate coroutine functions too, but it is private.
    _agnostic: Callable[..., Any] = getattr(trace, "_agnosticcontextmanager", contextmanager)
    start_as_current_span = _agnostic(_start_as_current_span)


class SourceProvider(TracerProvider):
    """Gives every library a tracer of one source."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def get_tracer(
        self,
        instrumenting_module_name: str,
        instrumenting_library_version: str | None = None,
        schema_url: str | None = None,
        attributes: Attributes = None,
    ) -> Tracer:
        """Return a tracer for a library."""
        scope = Scope(
            plain_text(instrumenting_module_name or "", NAME_LIMIT),
            instrumenting_library_version or "",
            schema_url or "",
            tuple((attributes or {}).items()),
        )
        return SourceTracer(self._source, scope)
