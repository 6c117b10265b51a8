"""Spans as OTLP. Importing this takes a while, so only the thread that exports does."""

from __future__ import annotations

from collections.abc import Sequence

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, SpanFlags, Status
from opentelemetry.trace import SpanContext

from obs.runtime.otel import resource
from obs.runtime.otel.span import RecordedSpan, Scope
from obs.runtime.otel.values import pairs, text
from obs.runtime.settings import Settings

_REMOTE_KNOWN = SpanFlags.SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE_MASK
_REMOTE = SpanFlags.SPAN_FLAGS_CONTEXT_IS_REMOTE_MASK


class SpanCodec:
    """Spans in the form in which they travel."""

    def __init__(self, settings: Settings) -> None:
        self._resource = Resource(attributes=pairs(resource.attributes(settings).items()))

    def encode(self, batch: Sequence[RecordedSpan], /) -> bytes:
        """Return the body of a request: one group a scope, in the order of their first spans."""
        scopes: dict[Scope, list[Span]] = {}
        for span in batch:
            scopes.setdefault(span.scope, []).append(_span(span))
        spans = ResourceSpans(
            resource=self._resource,
            scope_spans=[
                ScopeSpans(scope=_scope(scope), spans=found, schema_url=text(scope.schema_url))
                for scope, found in scopes.items()
            ],
        )
        return bytes(ExportTraceServiceRequest(resource_spans=[spans]).SerializeToString())

    def refused(self, body: bytes, /) -> int:
        """Return how many spans an answer of success says were not taken."""
        return int(ExportTraceServiceResponse.FromString(body).partial_success.rejected_spans)


def _scope(scope: Scope) -> InstrumentationScope:
    return InstrumentationScope(
        name=text(scope.name), version=text(scope.version), attributes=pairs(scope.attributes)
    )


def _span(span: RecordedSpan) -> Span:
    own, parent = span.context, span.parent
    return Span(
        trace_id=own.trace_id.to_bytes(16, "big"),
        span_id=own.span_id.to_bytes(8, "big"),
        trace_state=own.trace_state.to_header() if own.trace_state else "",
        parent_span_id=parent.span_id.to_bytes(8, "big") if parent is not None else b"",
        name=text(span.name),
        # The API counts its kinds from 0; in the protocol that is the one that is not known.
        kind=span.kind.value + 1,  # type: ignore[arg-type]
        start_time_unix_nano=span.start_time,
        end_time_unix_nano=span.end_time,
        attributes=pairs(span.attributes.items()),
        events=[
            Span.Event(
                name=text(event.name),
                time_unix_nano=event.timestamp,
                attributes=pairs(event.attributes.items()),
            )
            for event in span.events
        ],
        links=[
            Span.Link(
                trace_id=link.context.trace_id.to_bytes(16, "big"),
                span_id=link.context.span_id.to_bytes(8, "big"),
                attributes=pairs(link.attributes.items()),
                flags=_flags(link.context),
            )
            for link in span.links
        ],
        status=Status(code=span.status.status_code.value, message=text(span.status.description or "")),  # type: ignore[arg-type]
        dropped_attributes_count=span.dropped_attributes,
        dropped_events_count=span.dropped_events,
        dropped_links_count=span.dropped_links,
        flags=_flags(parent),
    )


def _flags(context: SpanContext | None) -> int:
    return _REMOTE_KNOWN | _REMOTE if context is not None and context.is_remote else _REMOTE_KNOWN
