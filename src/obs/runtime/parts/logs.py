"""The part that writes log lines."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from obs.runtime import guard, levels, logger
from obs.runtime.parts.part import Part, Report
from obs.runtime.settings import Settings

if TYPE_CHECKING:
    from obs.runtime.logs import Logs


class LogsPart(Part):
    """Log lines, and standard logging led through the same pipeline."""

    name = "logs"

    def __init__(self) -> None:
        self.logs: Logs | None = None
        self._skipped = ""

    def start(self, settings: Settings) -> None:
        """Take over standard logging, unless logs are off or the stream is closed."""
        self._skipped = _obstacle(settings)
        if self._skipped:
            logger.use(None, off=True)
            guard.report_to(None)
            return
        from obs.runtime.logs import Logs

        self.logs = Logs(settings)
        guard.report_to(_report_line)

    def change(self, before: Settings, wanted: Settings) -> str:
        """Go over to other settings; what `set_level` said of single loggers stays."""
        with levels.kept():
            return super().change(before, wanted)

    def stop(self, timeout: float) -> bool:  # noqa: ARG002 - lines are written at once
        """Give standard logging back."""
        guard.report_to(None)
        logger.use(None)
        logs, self.logs = self.logs, None
        if logs is not None:
            logs.stop()
        return True

    def renew(self) -> None:
        """Get a fresh lock in a forked child."""
        if self.logs is not None:
            self.logs.renew()

    def describe(self, report: Report) -> None:
        """Say whether lines are written."""
        if self.logs is None:
            report.skipped[self.name] = self._skipped
            return
        report.on.append(self.name)
        if self.logs.adopted_structlog:
            report.adopted.append("structlog configuration")


def _obstacle(settings: Settings) -> str:
    if not settings.logs:
        return "setting logs is false"
    if getattr(sys, f"__{settings.log_stream}__") is None:
        # Python found it closed at its start; whatever file or socket has its number now is not ours.
        return f"{settings.log_stream} is closed"
    return ""


def _report_line(component: str, error: BaseException) -> None:
    logger.log.warning("obs kept an error of its own from the host", component=component, exc_info=error)
