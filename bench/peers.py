"""The peers: what people stack up today for the same signals, each library as its documentation shows."""

from __future__ import annotations

import os
import time
from typing import Any

from fastapi import FastAPI

DSN = "http://key@127.0.0.1:9/1"


def drop_spans(*, encoded: bool = False) -> None:
    """Let OpenTelemetry's exporter throw spans away, where asked for after it has encoded them."""
    from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import SpanExportResult

    def export(_: Any, spans: Any) -> SpanExportResult:
        if encoded:
            encode_spans(spans).SerializePartialToString()
        return SpanExportResult.SUCCESS

    vars(OTLPSpanExporter)["export"]  # fail here, not in the exporter's thread, when it has moved
    OTLPSpanExporter.export = export  # type: ignore[method-assign,assignment]


def drop_our_spans(*, encoded: bool = False) -> None:
    """Let our own exporter throw spans away, where asked for after it has encoded them."""
    from obs.runtime.otel.answer import Answer
    from obs.runtime.otel.channel import OtlpChannel

    def deliver(channel: Any, batch: Any, _: float) -> Answer:
        if encoded:
            channel._codec.encode(batch)  # noqa: SLF001 - a benchmark looks inside
        return Answer("delivered")

    vars(OtlpChannel)["deliver"]
    OtlpChannel.deliver = deliver  # type: ignore[method-assign]


def drop_events() -> None:
    """Let Sentry's transport throw away what it would send."""
    from sentry_sdk import transport

    def capture_envelope(_: Any, __: Any) -> None:
        return None

    transport.HttpTransport.capture_envelope = capture_envelope  # type: ignore[method-assign,assignment]


def tracer_provider(*, sampled: bool = True, encoded: bool = False) -> Any:
    """Set up OpenTelemetry's own provider with its batch processor and the dropping exporter."""
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON

    drop_spans(encoded=encoded)
    provider = TracerProvider(sampler=ALWAYS_ON if sampled else ALWAYS_OFF, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint="http://127.0.0.1:9/v1/traces")))
    trace.set_tracer_provider(provider)
    return provider


def structlog_logger() -> Any:
    """Configure structlog for JSON lines with ids, as fast as its documentation makes it."""
    import orjson
    import structlog
    from asgi_correlation_id import correlation_id
    from opentelemetry import trace

    def ids(_: Any, __: str, event: Any) -> Any:
        event["request_id"] = correlation_id.get()
        found = trace.get_current_span().get_span_context()
        if found.is_valid:
            event["trace_id"] = format(found.trace_id, "032x")
            event["span_id"] = format(found.span_id, "016x")
        return event

    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            ids,
            structlog.processors.format_exc_info,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(serializer=orjson.dumps),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(20),
        cache_logger_on_first_use=True,
        logger_factory=structlog.BytesLoggerFactory(file=open(os.devnull, "wb")),  # noqa: PTH123, SIM115
    )
    return structlog.get_logger()


class AccessLine:
    """One structlog line a request, as a plain ASGI middleware (the cheapest way to write one)."""

    def __init__(self, app: Any, log: Any) -> None:
        self.app, self.log = app, log

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, status = time.perf_counter(), 500

        async def watch(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, watch)
        finally:
            self.log.info(
                "request",
                method=scope["method"],
                path=scope["path"],
                status=status,
                duration=round(time.perf_counter() - started, 6),
                client=scope["client"][0],
            )


def stack(app: FastAPI, *, sampled: bool = True, encoded: bool = False) -> FastAPI:
    """Add OpenTelemetry's instrumentation, Prometheus metrics, a correlation id and a structlog line."""
    from asgi_correlation_id import CorrelationIdMiddleware
    from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
    from prometheus_fastapi_instrumentator import Instrumentator

    provider = tracer_provider(sampled=sampled, encoded=encoded)
    app.add_middleware(AccessLine, log=structlog_logger())
    Instrumentator().instrument(app).expose(app)
    app.add_middleware(CorrelationIdMiddleware, header_name="X-Request-ID")
    FastAPIInstrumentor.instrument_app(app, tracer_provider=provider)
    return app


def sentry() -> None:
    """Start Sentry as its documentation shows: errors, no performance traces."""
    import sentry_sdk

    drop_events()
    sentry_sdk.init(dsn=DSN)
