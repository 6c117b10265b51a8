"""The time that telemetry shows, which the test kit may set; deadlines and waits use the real one.

Call by the module's name, `clock.now()`, so that a replacement is seen. It costs what `time.time()` costs.
"""

from __future__ import annotations

import time
from collections.abc import Callable

#: Seconds since the Unix epoch.
now: Callable[[], float] = time.time
#: Seconds since any moment, never going back: for durations.
elapsed: Callable[[], float] = time.perf_counter


def replace(wall: Callable[[], float], steady: Callable[[], float]) -> None:
    """Take the time from `wall` and durations from `steady`."""
    global now, elapsed
    now, elapsed = wall, steady


def restore() -> None:
    """Take the real time again."""
    replace(time.time, time.perf_counter)
