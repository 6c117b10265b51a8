"""The tracing back end: spans with cleaned attributes, parents from headers, one deadline at the end."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from opentelemetry import baggage as otel_baggage
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace import TracerProvider as SdkProvider
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    Status,
    StatusCode,
    TraceFlags,
    TracerProvider,
    TraceState,
)

from obs._version import __version__
from obs.runtime import context, guard, recording
from obs.runtime.otel import resource
from obs.runtime.otel.export import QueuedSpans, span_queue
from obs.runtime.otel.outage import Notify
from obs.runtime.otel.provider import KINDS, OURS, claim
from obs.runtime.otel.queue import ExportQueue
from obs.runtime.otel.recorded import CountedIds, Recorded, watch
from obs.runtime.redaction import NAME_LIMIT, STACK_LIMIT, clean_value, plain_text
from obs.runtime.settings import Settings

_SCALARS = (str, bool, int, float)


class OtelSpan:
    """A span in progress that is current until it ends."""

    __slots__ = ("_open", "_span", "_token")

    def __init__(self, span: trace.Span, token: Any) -> None:
        self._span = span
        self._token = token
        # OpenTelemetry warns about a second end.
        self._open = True

    def set(self, attributes: Mapping[str, Any]) -> None:
        """Add attributes, cleaned of secrets."""
        if self._span.is_recording():
            self._span.set_attributes(_attributes(attributes))

    def event(self, name: str, attributes: Mapping[str, Any]) -> None:
        """Add an event at this moment."""
        if self._span.is_recording():
            self._span.add_event(plain_text(name, NAME_LIMIT), _attributes(attributes))

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
        kind = type(error).__qualname__
        message = plain_text(error)
        stack = "".join(traceback.format_exception(type(error), error, error.__traceback__))
        self._span.add_event(
            "exception",
            {
                "exception.type": kind,
                "exception.message": message,
                "exception.stacktrace": plain_text(stack, STACK_LIMIT),
            },
        )
        self._span.set_attribute("error.type", kind)
        self._span.set_status(Status(StatusCode.ERROR, f"{kind}: {message}"))

    def finish(self) -> None:
        """End the span, which stays current until `end`."""
        if self._open:
            self._open = False
            self._span.end()

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


class Traces:
    """Everything of OpenTelemetry that runs between `init()` and `shutdown()`."""

    def __init__(self, settings: Settings, notify: Notify) -> None:
        self.settings = settings
        provider, self.adopted = claim()
        self._queue: ExportQueue[ReadableSpan] | None = None
        self._last: tuple[SpanContext | None, tuple[str, str, bool]] = (None, ("", "", False))
        self.endpoint = endpoint(settings)
        if not self.adopted:
            self._configure(notify)
        elif recording.recorder() is not None:
            watch(provider)
        self._provider: TracerProvider = provider
        self._tracer = provider.get_tracer("obs", __version__)

    def _configure(self, notify: Notify) -> None:
        settings = self.settings
        recorded = recording.recorder() is not None
        if not self.endpoint and not recorded:
            OURS.delegate_ids(settings.traces_ratio)
            return
        backend = SdkProvider(
            sampler=ParentBased(TraceIdRatioBased(settings.traces_ratio)),
            resource=Resource(resource.attributes(settings)),
            shutdown_on_exit=False,
            id_generator=CountedIds() if recorded else None,
        )
        if recorded:
            backend.add_span_processor(Recorded())
        if self.endpoint:
            self._queue = span_queue(self.endpoint, settings, notify)
            backend.add_span_processor(QueuedSpans(self._queue))
        OURS.delegate_to(backend)

    def current(self) -> tuple[str, str, bool]:
        """Return trace id, span id and whether it is sampled; empty text outside of a span."""
        found = trace.get_current_span().get_span_context()
        # A request asks several times for the ids of the same span; one pair, replaced in one step.
        known, ids = self._last
        if found is known:
            return ids
        if not found.is_valid:
            return "", "", False
        ids = (f"{found.trace_id:032x}", f"{found.span_id:016x}", found.trace_flags.sampled)
        self._last = (found, ids)
        return ids

    def state(self) -> str:
        """Return the `tracestate` header of the current span."""
        state = trace.get_current_span().get_span_context().trace_state
        return state.to_header() if state else ""

    def baggage(self) -> Mapping[str, object]:
        """Return what the host has put into OpenTelemetry's baggage."""
        return otel_baggage.get_all()

    def start(
        self, name: str, kind: str, attributes: Mapping[str, Any], parent: context.Parent | None
    ) -> OtelSpan:
        """Start a span below `parent`, else below the current one, and make it current."""
        above = _remote(parent) if parent is not None else None
        bound = context.bound.get()
        span = self._tracer.start_span(
            # One name that cannot be encoded would cost the whole batch it is exported with.
            plain_text(name, NAME_LIMIT),
            context=above,
            kind=KINDS[kind],
            attributes=_attributes({**bound, **attributes} if bound else attributes),
        )
        return OtelSpan(span, otel_context.attach(trace.set_span_in_context(span, above)))

    def enter(self, parent: context.Parent) -> Callable[[], None]:
        """Make a remote span the current one; return what undoes that."""
        token = otel_context.attach(_remote(parent))
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


def _remote(parent: context.Parent) -> otel_context.Context:
    span_context = SpanContext(
        int(parent.trace_id, 16),
        int(parent.span_id, 16),
        is_remote=True,
        trace_flags=TraceFlags(TraceFlags.SAMPLED if parent.sampled else TraceFlags.DEFAULT),
        trace_state=_state(parent.state),
    )
    return trace.set_span_in_context(NonRecordingSpan(span_context))


def _state(header: str) -> TraceState | None:
    if not header:
        return None
    with guard.contained("traces"):
        return TraceState.from_header([header])
    return None


def _attributes(given: Mapping[str, Any]) -> dict[str, Any]:
    attributes = {}
    for key, value in given.items():
        name = plain_text(key, NAME_LIMIT)
        plain = clean_value(name, value)
        if plain is None:
            continue
        attributes[name] = plain if isinstance(plain, _SCALARS) else _flat(plain)
    return attributes


def _flat(value: Any) -> Any:
    alike = isinstance(value, list) and len({type(item) for item in value}) == 1
    return value if alike and isinstance(value[0], _SCALARS) else str(value)
