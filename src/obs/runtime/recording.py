"""What a test run asks of the runtime: to show what it makes, and to send nothing out.

A leaf without imports of ours: the pytest plugin, which is loaded in every test run of every user,
writes here, and the pillars look here when they start.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class Recorder(Protocol):
    """Who is shown everything; `obs.testing` has the real one. Its methods do not raise."""

    def line(self, line: Mapping[str, Any]) -> None:
        """Take a log line as it is about to be written, cleaned."""

    def began(self, span_id: str) -> None:
        """Note that a span has begun."""

    def span(self, span: Mapping[str, Any]) -> None:
        """Take a span that has ended, cleaned: see `obs.runtime.otel.recorded`."""

    def error(self, error: Mapping[str, Any]) -> None:
        """Take an error event as it would be sent, cleaned."""

    def audit(self, record: Mapping[str, Any]) -> None:
        """Take an audit record or a security event, cleaned."""


_recorder: Recorder | None = None
_silence = ""


def show(recorder: Recorder | None) -> None:
    """Show everything that is made to `recorder` from the next start of the pillars on."""
    global _recorder
    _recorder = recorder


def recorder() -> Recorder | None:
    """Return who is shown everything; None outside of tests."""
    return _recorder


def silence(reason: str) -> None:
    """Send nothing out from the next `init()` on, because of `reason`; empty allows it again."""
    global _silence
    _silence = reason


def silenced() -> str:
    """Return why nothing is sent out; empty when exporters work."""
    return _silence
