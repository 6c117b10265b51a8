"""Spans on the wire. Importing this takes a while, so only the thread that exports does."""

from __future__ import annotations

from collections.abc import Sequence

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.sdk.trace import ReadableSpan


class SpanCodec:
    """Spans in the form in which they travel."""

    def encode(self, batch: Sequence[ReadableSpan], /) -> bytes:
        """Return the body of a request."""
        body: bytes = encode_spans(batch).SerializePartialToString()
        return body

    def refused(self, body: bytes, /) -> int:
        """Return how many spans an answer of success says were not taken."""
        return int(ExportTraceServiceResponse.FromString(body).partial_success.rejected_spans)
