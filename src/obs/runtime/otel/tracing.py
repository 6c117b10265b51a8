"""The tracing back end: spans with cleaned attributes, parents from headers, one deadline at the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from opentelemetry import baggage as otel_baggage
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, TracerProvider, TraceState

from obs._version import __version__
from obs.runtime import context, guard, live, recording
from obs.runtime.otel import attributes as cleaned
from obs.runtime.otel.current import CurrentSpan, HostSpan, UnrecordedSpan
from obs.runtime.otel.export import QueuedSpans, span_queue
from obs.runtime.otel.outage import Notify
from obs.runtime.otel.provider import KINDS, OURS, claim
from obs.runtime.otel.queue import ExportQueue
from obs.runtime.otel.sampling import SAMPLED, UNSAMPLED, Head
from obs.runtime.otel.source import Processor, Source, SourceProvider
from obs.runtime.otel.span import RecordedSpan, Scope
from obs.runtime.redaction import NAME_LIMIT, plain_text
from obs.runtime.settings import Settings

_SCOPE = Scope("obs", __version__)
#: Why a span that was not sampled was recorded all the same: failed or slow.
_RESCUED = "obs.rescued"
#: Asks tail sampling for the trace: a metric points to it. collector/collector.yml has the policy.
EXEMPLAR = "obs.exemplar"


class Traces:
    """Everything of OpenTelemetry that runs between `init()` and `shutdown()`."""

    def __init__(self, settings: Settings, notify: Notify) -> None:
        self.settings = settings
        self._slow = settings.slow_request
        provider, self.adopted = claim()
        self._provider: TracerProvider = provider
        self._queue: ExportQueue[RecordedSpan] | None = None
        self._last: tuple[otel_context.Context | None, tuple[str, str, bool]] = (None, ("", "", False))
        self.endpoint = endpoint(settings)
        self._host: trace.Tracer | None = None
        self._source = Source(Head(settings.traces_ratio, trusted=settings.trust_sampled), ())
        if self.adopted:
            self._host = provider.get_tracer("obs", __version__)
            if recording.recorder() is not None:
                from obs.runtime.otel.recorded import watch

                watch(provider)
        else:
            self._source = self._configure(notify)
            OURS.delegate_to(SourceProvider(self._source))

    def _configure(self, notify: Notify) -> Source:
        settings = self.settings
        processors: list[Processor] = []
        ids = None
        if recording.recorder() is not None:
            from obs.runtime.otel.recorded import CountedIds, Recorded

            processors.append(Recorded())
            ids = CountedIds()
        if self.endpoint:
            self._queue = span_queue(self.endpoint, settings, notify)
            processors.append(QueuedSpans(self._queue))
        return Source(Head(settings.traces_ratio, trusted=settings.trust_sampled), processors, ids)

    def current(self) -> tuple[str, str, bool]:
        """Return trace id, span id and whether it is sampled; empty text outside of a span."""
        here = otel_context.get_current()
        # A request asks several times in the same context, which never changes: a new span brings a
        # new one. One pair, replaced in one step, is what is remembered.
        known, ids = self._last
        if here is known:
            return ids
        found = trace.get_current_span(here).get_span_context()
        ids = _written(found) if found.is_valid else ("", "", False)
        self._last = (here, ids)
        return ids

    def mark(self) -> None:
        """Note on the current span that a metric's exemplar points to it."""
        span = trace.get_current_span()
        if span.is_recording():
            span.set_attribute(EXEMPLAR, value=True)

    def state(self) -> str:
        """Return the `tracestate` header of the current span."""
        state = trace.get_current_span().get_span_context().trace_state
        return state.to_header() if state else ""

    def baggage(self) -> Mapping[str, object]:
        """Return what the host has put into OpenTelemetry's baggage."""
        return otel_baggage.get_all()

    def start(
        self, name: str, kind: str, attributes: Mapping[str, Any], parent: context.Parent | None
    ) -> live.Span:
        """Start a span below `parent`, else below the current one, and make it current."""
        here = otel_context.get_current()
        if self._host is not None:
            return self._start_hosts(name, kind, attributes, parent, here)
        source = self._source
        above: SpanContext | None = None
        if parent is not None:
            above = _remote(parent)
        elif here:
            found = trace.get_current_span(here).get_span_context()
            above = found if found.is_valid else None
        ids = source.context(above)
        if ids.trace_flags.sampled and source.records:
            # One name that cannot be encoded would cost the whole batch it is exported with.
            span = source.begin(plain_text(name, NAME_LIMIT), ids, above, KINDS[kind], _SCOPE)
            bound = context.bound.get()
            if bound:
                span.set_attributes(bound)
            if attributes:
                span.set_attributes(attributes)
            started: CurrentSpan | UnrecordedSpan = CurrentSpan(span, here)
        else:
            rescue = None
            if source.records and (above is None or above.is_remote):
                rescue = partial(self._rescue, ids, above, kind, attributes)
            slow = self._slow if kind == "server" else float("inf")
            started = UnrecordedSpan(NonRecordingSpan(ids), here, rescue, slow, name)
        if kind == "server":
            # The response's headers and the access line are going to ask.
            self._last = (started.here, _written(ids))
        return started

    def _rescue(  # noqa: PLR0917 - the first four are bound, the others are Rescue's
        self,
        ids: SpanContext,
        above: SpanContext | None,
        kind: str,
        attributes: Mapping[str, Any],
        name: str,
        start_time: int,
        why: str,
    ) -> RecordedSpan:
        """Begin, at its end, the recorded span of a request that failed or was slow."""
        span = self._source.begin(name, ids, above, KINDS[kind], _SCOPE, start_time)
        span.set_attributes({**context.bound.get(), **attributes, _RESCUED: why})
        return span

    def _start_hosts(
        self,
        name: str,
        kind: str,
        attributes: Mapping[str, Any],
        parent: context.Parent | None,
        here: otel_context.Context,
    ) -> HostSpan:
        assert self._host is not None  # noqa: S101 - for the type checker
        below = trace.set_span_in_context(NonRecordingSpan(_remote(parent))) if parent is not None else None
        bound = context.bound.get()
        return HostSpan(
            self._host.start_span(
                plain_text(name, NAME_LIMIT),
                context=below,
                kind=KINDS[kind],
                attributes=cleaned.clean({**bound, **attributes} if bound else attributes),
            ),
            here,
        )

    def enter(self, parent: context.Parent) -> Callable[[], None]:
        """Make a remote span the current one; return what undoes that."""
        token = otel_context.attach(trace.set_span_in_context(NonRecordingSpan(_remote(parent))))
        return partial(context.leave, token)

    def hurry(self, timeout: float) -> None:
        """Begin to deliver what is queued."""
        if self._queue is not None:
            self._queue.hurry(timeout)

    def flush(self, timeout: float) -> bool:
        """Deliver what is queued; False when some of it was not delivered within `timeout` seconds."""
        return self._queue is None or self._queue.flush(timeout)

    def stop(self, timeout: float) -> bool:
        """Deliver what can be delivered within `timeout` seconds and stop making spans."""
        if self._provider is OURS:
            OURS.delegate_to(None)
        return self._queue is None or self._queue.stop(timeout)

    def hold(self) -> None:
        """End the exporter's thread: this process is about to fork."""
        if self._queue is not None:
            self._queue.hold()

    def resume(self) -> None:
        """Go on after `hold`, in the parent."""
        if self._queue is not None:
            self._queue.resume()

    def renew(self) -> None:
        """Start over with nothing queued, in the child of a fork."""
        if self._queue is not None:
            self._queue.renew()


def endpoint(settings: Settings) -> str:
    """Return the URL that traces go to, empty when there is none."""
    if settings.traces_endpoint or not settings.otlp_endpoint:
        return settings.traces_endpoint
    return settings.otlp_endpoint.rstrip("/") + "/v1/traces"


def _written(ids: SpanContext) -> tuple[str, str, bool]:
    return f"{ids.trace_id:032x}", f"{ids.span_id:016x}", ids.trace_flags.sampled


def _remote(parent: context.Parent) -> SpanContext:
    return SpanContext(
        int(parent.trace_id, 16),
        int(parent.span_id, 16),
        is_remote=True,
        trace_flags=SAMPLED if parent.sampled else UNSAMPLED,
        trace_state=_state(parent.state),
    )


def _state(header: str) -> TraceState | None:
    if not header:
        return None
    with guard.contained("traces"):
        return TraceState.from_header([header])
    return None
