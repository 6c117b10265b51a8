"""The part that writes log lines."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from obs.runtime import guard, levels, logger
from obs.runtime.parts.part import Part, Report
from obs.runtime.settings import Settings

if TYPE_CHECKING:
    from obs.runtime.logs import Logs
    from obs.runtime.otel.log_queue import LogQueue


class LogsPart(Part):
    """Log lines, and standard logging led through the same pipeline."""

    name = "logs"

    def __init__(self) -> None:
        self.logs: Logs | None = None
        self._queue: LogQueue | None = None
        self._skipped = ""

    def start(self, settings: Settings) -> None:
        """Take over standard logging, unless logs are off or the stream is closed."""
        self._skipped = _obstacle(settings)
        if self._skipped:
            logger.use(None, off=True)
            guard.report_to(None)
            return
        from obs.runtime.logs import Logs

        if settings.otlp_logs != "off":
            from obs.runtime.otel.log_queue import log_queue

            self._queue = log_queue(settings, self._local_line)
        self.logs = Logs(settings, self._queue.put if self._queue is not None else None)
        guard.report_to(_report_line)

    def change(self, before: Settings, wanted: Settings) -> str:
        """Go over to other settings; what `set_level` said of single loggers stays."""
        with levels.kept():
            return super().change(before, wanted)

    def hurry(self, timeout: float) -> None:
        """Begin to deliver what is queued."""
        if self._queue is not None:
            self._queue.hurry(timeout)

    def flush(self, timeout: float) -> bool:
        """Tell what was left out of repeated lines, and deliver what is queued."""
        if self.logs is not None:
            self.logs.pipeline.flush()
        return self._queue is None or self._queue.flush(timeout)

    def stop(self, timeout: float) -> bool:
        """Give standard logging back, and deliver what is queued."""
        guard.report_to(None)
        queue, self._queue = self._queue, None
        if self.logs is not None:
            self.logs.pipeline.flush()
        # Before the pipeline goes: what the queue has to say of its end is a line as well.
        delivered = queue is None or queue.stop(timeout)
        logs, self.logs = self.logs, None
        if logs is not None:
            logs.stop()
        logger.use(None)
        return delivered

    def hold(self) -> None:
        """End the queue's thread before a fork."""
        if self._queue is not None:
            self._queue.hold()

    def resume(self) -> None:
        """Allow the queue's thread again."""
        if self._queue is not None:
            self._queue.resume()

    def renew(self) -> None:
        """Get fresh locks, and a queue without the parent's lines, in a forked child."""
        if self._queue is not None:
            self._queue.renew()
        if self.logs is not None:
            self.logs.renew()

    def describe(self, report: Report) -> None:
        """Say whether lines are written."""
        if self.logs is None:
            report.skipped[self.name] = self._skipped
            return
        report.on.append(self.name)
        if self._queue is not None:
            report.on.append("log export")
        if self.logs.adopted_structlog:
            report.adopted.append("structlog configuration")

    def _local_line(self, level: str, message: str, /, **fields: object) -> None:
        """Write a line about the collector where it is seen without the collector."""
        if self.logs is not None:
            self.logs.pipeline.emit(level, message, fields, logger="obs", sampled=False, local=True)


def _obstacle(settings: Settings) -> str:
    if not settings.logs:
        return "setting logs is false"
    if getattr(sys, f"__{settings.log_stream}__") is None:
        # Python found it closed at its start; whatever file or socket has its number now is not ours.
        return f"{settings.log_stream} is closed"
    return ""


def _report_line(component: str, error: BaseException) -> None:
    logger.log.warning("obs kept an error of its own from the host", component=component, exc_info=error)
