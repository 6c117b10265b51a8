"""Spans that have ended go to the queue of the exporter."""

from __future__ import annotations

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor

from obs.runtime.otel.answer import Channel
from obs.runtime.otel.outage import Notify, Outage
from obs.runtime.otel.queue import ExportQueue, Limits
from obs.runtime.redaction import scrub
from obs.runtime.settings import Settings


class QueuedSpans(SpanProcessor):
    """Hands every sampled span to a queue."""

    def __init__(self, queue: ExportQueue[ReadableSpan]) -> None:
        self._queue = queue

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Nothing to do before a span has ended."""

    def on_end(self, span: ReadableSpan) -> None:
        """Queue a sampled span."""
        if span.context is not None and span.context.trace_flags.sampled:
            self._queue.put(span)

    def force_flush(self, timeout_millis: int = 3000) -> bool:
        """Deliver what is queued; for hosts that ask OpenTelemetry's provider."""
        return self._queue.flush(timeout_millis / 1000)


def span_queue(url: str, settings: Settings, notify: Notify) -> ExportQueue[ReadableSpan]:
    """Return a queue of spans that go to `url`."""

    def channel() -> Channel[ReadableSpan]:
        from obs.runtime.otel.channel import OtlpChannel
        from obs.runtime.otel.spans import SpanCodec

        return OtlpChannel(url, settings, SpanCodec())

    limits = Limits(
        size=settings.span_queue,
        batch=min(settings.span_batch, settings.span_queue),
        interval=settings.export_interval,
        timeout=settings.otlp_timeout,
    )
    outage = Outage("traces", public(url), notify)
    return ExportQueue(channel, limits, outage, dropped="spans_dropped", thread="obs-spans")


def public(url: str) -> str:
    """Return `url` as it may be shown: without password and query."""
    return scrub(url.partition("?")[0])
