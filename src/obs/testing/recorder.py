"""What is captured: lists that the runtime fills from whichever thread."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from obs.testing.clock import Clock
from obs.testing.spans import CapturedSpan


class Recorder:
    """The `obs.runtime.recording.Recorder` of the test kit."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._lock = threading.Lock()
        self._began: dict[str, float] = {}
        self.logs: list[dict[str, Any]] = []
        self.spans: list[CapturedSpan] = []
        self.errors: list[dict[str, Any]] = []
        self.audits: list[dict[str, Any]] = []

    def line(self, line: Mapping[str, Any]) -> None:
        """Keep a log line."""
        self.logs.append(dict(line))

    def began(self, span_id: str) -> None:
        """Note when a span began, on the test's clock."""
        with self._lock:
            self._began[span_id] = self.clock.now()

    def span(self, span: Mapping[str, Any]) -> None:
        """Keep a span that has ended."""
        ended = self.clock.now()
        with self._lock:
            began = self._began.pop(span["span_id"], ended)
        events = tuple(span["events"])
        self.spans.append(CapturedSpan(**{**span, "events": events}, started=began, duration=ended - began))

    def open_spans(self) -> int:
        """Return how many spans have begun and not ended."""
        return len(self._began)

    def error(self, error: Mapping[str, Any]) -> None:
        """Keep an error event."""
        self.errors.append(dict(error))

    def audit(self, record: Mapping[str, Any]) -> None:
        """Keep an audit record or a security event."""
        self.audits.append(dict(record))

    def clear(self) -> None:
        """Forget what was captured; spans in progress are kept when they end."""
        for kept in (self.logs, self.spans, self.errors, self.audits):
            kept.clear()
