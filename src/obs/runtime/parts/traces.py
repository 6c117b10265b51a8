"""The part that makes spans and exports them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obs.runtime import logger
from obs.runtime.parts.part import Part, Report
from obs.runtime.settings import Settings

if TYPE_CHECKING:
    from obs.runtime.otel.tracing import Traces


class TracesPart(Part):
    """Spans, their ids, and the queue in front of the collector."""

    name = "traces"
    settings = (
        "traces", "service", "version", "environment", "resource", "otlp_endpoint", "traces_endpoint",
        "otlp_headers", "otlp_timeout", "otlp_compression", "otlp_certificate", "otlp_client_certificate",
        "otlp_client_key", "traces_ratio", "trust_sampled", "slow_request", "span_queue", "span_batch",
        "export_interval",
    )  # fmt: skip

    def __init__(self) -> None:
        self.traces: Traces | None = None

    def start(self, settings: Settings) -> None:
        """Make spans from now on, unless traces are off."""
        if not settings.traces:
            return
        from obs.runtime.otel.tracing import Traces

        self.traces = Traces(settings, _outage_line)

    def hurry(self, timeout: float) -> None:
        """Begin to deliver what is queued."""
        if self.traces is not None:
            self.traces.hurry(timeout)

    def flush(self, timeout: float) -> bool:
        """Deliver what is queued."""
        return self.traces is None or self.traces.flush(timeout)

    def stop(self, timeout: float) -> bool:
        """Deliver what is queued and stop making spans."""
        traces, self.traces = self.traces, None
        return traces is None or traces.stop(timeout)

    def hold(self) -> None:
        """End the exporter's thread before a fork."""
        if self.traces is not None:
            self.traces.hold()

    def resume(self) -> None:
        """Allow the exporter's thread again."""
        if self.traces is not None:
            self.traces.resume()

    def renew(self) -> None:
        """Start over with nothing queued in a forked child."""
        if self.traces is not None:
            self.traces.renew()

    def describe(self, report: Report) -> None:
        """Say whether spans are made, and where they go."""
        traces = self.traces
        if traces is None:
            report.skipped[self.name] = "setting traces is false"
            return
        report.on.append(self.name)
        if traces.adopted:
            report.adopted.append("tracer provider")
        elif traces.endpoint:
            report.on.append("trace export")
        else:
            report.skipped["trace export"] = "no OTLP endpoint is set; spans have ids and are not exported"


def _outage_line(level: str, message: str, /, **fields: object) -> None:
    getattr(logger.get_logger("obs"), level)(message, **fields)
