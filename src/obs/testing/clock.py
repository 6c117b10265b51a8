"""A clock that stands still until a test moves it."""

from __future__ import annotations

import threading

#: 2026-01-01T00:00:00Z, in seconds since the Unix epoch.
START = 1_767_225_600.0


class Clock:
    """The time that log lines, spans and durations show while a test captures.

    Only telemetry reads it: the code under test, deadlines and sleeps keep the real time.
    """

    def __init__(self, start: float = START) -> None:
        self._now = start
        self._elapsed = 0.0
        self._lock = threading.Lock()

    def now(self) -> float:
        """Return seconds since the Unix epoch."""
        return self._now

    def elapsed(self) -> float:
        """Return the seconds that the test has moved this clock."""
        return self._elapsed

    def tick(self, seconds: float = 1.0) -> None:
        """Move on by `seconds`. Raises `ValueError` when they are negative: time does not go back."""
        if not seconds >= 0:
            raise ValueError(f"got {seconds!r} seconds, expected zero or more")
        with self._lock:
            self._now += seconds
            self._elapsed += seconds
