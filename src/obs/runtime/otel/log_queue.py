"""Log lines on their way to a collector, through the same kind of queue as spans."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from obs.errors import ConfigError
from obs.runtime.otel.answer import Channel
from obs.runtime.otel.export import public
from obs.runtime.otel.outage import Notify, Outage
from obs.runtime.otel.queue import ExportQueue, Limits
from obs.runtime.settings import Settings

if TYPE_CHECKING:
    from obs.runtime.otel.logs import Line

    LogQueue: TypeAlias = ExportQueue[Line]


def log_queue(settings: Settings, notify: Notify) -> LogQueue:
    """Return a queue that sends lines to the collector of `settings`.

    Raises `ConfigError` when these name none.
    """
    url = endpoint(settings)
    if not url:
        raise ConfigError(
            f"otlp_logs is {settings.otlp_logs!r} and no OTLP endpoint is set",
            hint='otlp_endpoint="http://127.0.0.1:4318", or OTEL_EXPORTER_OTLP_ENDPOINT',
        )
    return ExportQueue(
        partial(_channel, url, settings),
        Limits(
            size=settings.log_queue,
            batch=min(settings.span_batch, settings.log_queue),
            interval=settings.export_interval,
            timeout=settings.otlp_timeout,
        ),
        Outage("log lines", public(url), notify),
        dropped="logs_dropped",
        thread="obs-logs",
    )


def endpoint(settings: Settings) -> str:
    """Return the URL that log lines go to, empty when there is none."""
    if settings.logs_endpoint or not settings.otlp_endpoint:
        return settings.logs_endpoint
    return settings.otlp_endpoint.rstrip("/") + "/v1/logs"


def _channel(url: str, settings: Settings) -> Channel[Line]:
    # Tens of milliseconds of imports, which the queue's thread pays and `init()` does not.
    from obs.runtime.otel.channel import OtlpChannel
    from obs.runtime.otel.logs import LogCodec

    return OtlpChannel(url, settings, LogCodec(settings))
