"""Spans that have ended go to the queue of the exporter."""

from __future__ import annotations

from obs.runtime.otel.answer import Channel
from obs.runtime.otel.outage import Notify, Outage
from obs.runtime.otel.queue import ExportQueue, Limits
from obs.runtime.otel.span import RecordedSpan
from obs.runtime.redaction import scrub
from obs.runtime.settings import Settings


class QueuedSpans:
    """Hands every recorded span to a queue."""

    def __init__(self, queue: ExportQueue[RecordedSpan]) -> None:
        self.on_end = queue.put

    def on_start(self, span: RecordedSpan, /) -> None:
        """Nothing to do before a span has ended."""


def span_queue(url: str, settings: Settings, notify: Notify) -> ExportQueue[RecordedSpan]:
    """Return a queue of spans that go to `url`."""

    def channel() -> Channel[RecordedSpan]:
        from obs.runtime.otel.channel import OtlpChannel
        from obs.runtime.otel.spans import SpanCodec

        return OtlpChannel(url, settings, SpanCodec(settings))

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
