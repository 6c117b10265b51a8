"""What is redacted in this process: the settings, in force for every pillar at once."""

from __future__ import annotations

from obs.runtime.redaction import keys, text
from obs.runtime.settings import Settings


def use(settings: Settings | None) -> None:
    """Redact as `settings` say; None is the default, which masks."""
    if settings is None:
        keys.use()
        text.use()
        return
    keys.use(active=settings.redact, hide=settings.redact_keys, keep=settings.redact_allow)
    text.use(active=settings.redact, email=settings.redact_email)
