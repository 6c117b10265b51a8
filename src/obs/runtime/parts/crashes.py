"""The part that reports exceptions nobody handled, to the log and to Sentry."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from obs.errors import ConfigError
from obs.runtime import settings_parsers as parse
from obs.runtime.crashes import report
from obs.runtime.crashes.hooks import Hooks
from obs.runtime.parts.part import Part, Report
from obs.runtime.settings import Settings

if TYPE_CHECKING:
    from obs.runtime.crashes.sentry import Sentry


class CrashesPart(Part):
    """The hooks, and the error tracker where there is one."""

    name = "crashes"
    settings = (
        "sentry_dsn", "sentry_dsn_file", "sentry_traces_rate", "sentry_tags",
        "service", "version", "environment",
    )  # fmt: skip

    def __init__(self) -> None:
        self._hooks: Hooks | None = None
        self._sentry: Sentry | None = None

    def start(self, settings: Settings) -> None:
        """Hook in, and connect to Sentry with a DSN or where the host has; raise `ObsError`."""
        dsn = settings.sentry_dsn or _read_dsn(settings.sentry_dsn_file)
        if dsn or _host_uses_sentry():
            from obs.runtime.crashes.sentry import Sentry

            self._sentry = Sentry(settings, dsn)
            report.send_to(self._sentry.send)
        self._hooks = Hooks()

    def flush(self, timeout: float) -> bool:
        """Deliver what Sentry has queued."""
        return self._sentry is None or self._sentry.flush(timeout)

    def stop(self, timeout: float) -> bool:
        """Deliver what is queued, and put the hooks back."""
        hooks, self._hooks = self._hooks, None
        sentry, self._sentry = self._sentry, None
        report.send_to(None)
        if hooks is not None:
            hooks.stop()
        return sentry is None or sentry.stop(timeout)

    def hold(self) -> None:
        """End Sentry's thread."""
        if self._sentry is not None:
            self._sentry.hold()

    def renew(self) -> None:
        """Send to Sentry with a queue and connections of the child's own."""
        if self._sentry is not None:
            self._sentry.renew()

    def describe(self, report: Report) -> None:
        """Say where exceptions go besides the log."""
        if self._sentry is None:
            report.skipped["error events"] = "no sentry_dsn is set; exceptions are logged and counted"
        elif self._sentry.adopted:
            report.adopted.append("Sentry client")
        else:
            report.on.append("error events")


def _read_dsn(path: str) -> str:
    if not path:
        return ""
    try:
        return str(parse.dsn(Path(path).read_text(encoding="utf-8").strip()))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else f"expected {error}"
        raise ConfigError(f"setting sentry_dsn_file: {reason}", where=path) from None


def _host_uses_sentry() -> bool:
    sentry = sys.modules.get("sentry_sdk")
    client = getattr(sentry, "get_client", None)
    return client is not None and bool(client().is_active())
