"""The part that keeps the journal of audit and security events."""

from __future__ import annotations

import sys

from obs.errors import ConfigError
from obs.runtime.events import record
from obs.runtime.events.journal import Journal
from obs.runtime.events.keys import read_key
from obs.runtime.parts.part import Part, Report
from obs.runtime.settings import Settings
from obs.runtime.stream import shared

_FDS = {"stdout": 1, "stderr": 2}


class AuditPart(Part):
    """The journal; its chain begins with the first event, so that most processes write none."""

    name = "audit"
    settings = (
        "audit_file", "audit_key_file", "audit_anchor_every", "log_stream", "service", "version", "environment",
    )  # fmt: skip
    cost = "a new audit chain begins"

    def __init__(self) -> None:
        self._journal: Journal | None = None
        self._about = ""

    def start(self, settings: Settings) -> None:
        """Open the journal; raise `ConfigError` for a key that protects nothing or a file that cannot be."""
        key = read_key(settings.audit_key_file)
        # Python found it closed at its start; whatever file or socket has its number now is not ours.
        closed = getattr(sys, f"__{settings.log_stream}__") is None
        stream = None if closed else shared(_FDS[settings.log_stream])
        try:
            self._journal = Journal(settings, key, stream)
        except OSError as error:
            raise ConfigError(f"audit_file: {error.strerror}", where=settings.audit_file) from None
        self._about = (
            "" if key is not None else "audit_key_file is not set: who can write the log can rewrite it"
        )
        record.write_to(self._journal)

    def stop(self, timeout: float) -> bool:  # noqa: ARG002 - lines are written at once
        """Close the chain with an anchor."""
        journal, self._journal = self._journal, None
        record.write_to(None)
        if journal is not None:
            journal.stop()
        return True

    def renew(self) -> None:
        """Begin a chain of the child's own."""
        if self._journal is not None:
            self._journal.renew()

    def describe(self, report: Report) -> None:
        """Say so when events are kept and no key signs their chain."""
        journal = self._journal
        if journal is not None and (journal.begun or journal.path) and self._about:
            report.skipped["audit signature"] = self._about
