"""The part that decides what is masked."""

from __future__ import annotations

from obs.runtime import logger
from obs.runtime.parts.part import Part, Report
from obs.runtime.redaction import policy
from obs.runtime.settings import Settings

_OFF = "setting redact is false: secrets leave this process as they are"


class RedactionPart(Part):
    """Redaction is on before `init()` and after `shutdown()`; in between as the settings say."""

    name = "redaction"
    settings = ("redact", "redact_keys", "redact_allow", "redact_email")

    def __init__(self) -> None:
        self._off = False

    def start(self, settings: Settings) -> None:
        """Apply the settings; turning it off gets a line, whoever did it."""
        policy.use(settings)
        self._off = not settings.redact
        if self._off:
            logger.get_logger("obs").warning("redaction is off", event="obs.redaction.off")

    def stop(self, timeout: float) -> bool:  # noqa: ARG002 - nothing to deliver
        """Mask everything again that can be."""
        policy.use(None)
        self._off = False
        return True

    def describe(self, report: Report) -> None:
        """Say so when secrets are not masked; that they are goes without saying."""
        if self._off:
            report.skipped[self.name] = _OFF
