"""The decision at the head: whether a trace is recorded, made where it begins and followed below."""

from __future__ import annotations

from opentelemetry.trace import SpanContext, TraceFlags

#: The part of a trace id that decides, as OpenTelemetry's TraceIdRatioBased has it, so that services that
#: decide for themselves by the same ratio agree.
_LOW = (1 << 64) - 1
SAMPLED = TraceFlags(TraceFlags.SAMPLED)
UNSAMPLED = TraceFlags(TraceFlags.DEFAULT)


class Head:
    """Samples new traces by `ratio`, and others as their parents were; a remote one's word is `trusted`."""

    def __init__(self, ratio: float, *, trusted: bool) -> None:
        self._bound = round(ratio * (1 << 64))
        self._trusted = trusted

    def chooses(self, trace_id: int) -> bool:
        """Return whether a trace that begins here is sampled."""
        return (trace_id & _LOW) < self._bound

    def follows(self, parent: SpanContext) -> bool:
        """Return whether a span below `parent` is sampled."""
        if parent.is_remote and not self._trusted:
            return self.chooses(parent.trace_id)
        return parent.trace_flags.sampled
