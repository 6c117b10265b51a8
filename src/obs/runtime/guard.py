"""The one guard: after `init()`, an error of telemetry never reaches the host application.

What is caught is counted in `obs_errors_total` and logged once a cause, so that a broken
integration is seen without flooding the log it may itself have broken.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Literal, TypeAlias

from obs.runtime import tally

Component: TypeAlias = Literal[
    "metrics", "logs", "traces", "crashes", "audit", "health", "integration", "setup"
]
Sink: TypeAlias = Callable[[str, BaseException], None]

#: A cause is a component, an error type and a place; a host can hardly have more of them.
_MOST_CAUSES = 256
_seen: set[tuple[str, str, str]] = set()
_busy = threading.local()
_sink: Sink | None = None


def report_to(sink: Sink | None) -> None:
    """Send the one line a cause to `sink`; None keeps counting without a line."""
    global _sink
    _sink = sink
    _seen.clear()


def report(component: Component, error: BaseException) -> None:
    """Count `error` against `component` and log it when its cause is new. Never raises."""
    tally.add("errors", component)
    sink = _sink
    if sink is None or getattr(_busy, "reporting", False):
        return
    cause = (component, type(error).__name__, _place(error.__traceback__))
    if cause in _seen or len(_seen) >= _MOST_CAUSES:
        return
    _seen.add(cause)
    _busy.reporting = True
    try:
        sink(component, error)
    except Exception:
        # The sink is the log pipeline: when it is the broken part, the count is what remains.
        tally.add("errors", "logs")
    finally:
        _busy.reporting = False


def _place(traceback: TracebackType | None) -> str:
    place = ""
    while traceback is not None:
        place = f"{traceback.tb_frame.f_code.co_filename}:{traceback.tb_lineno}"
        traceback = traceback.tb_next
    return place


class contained:  # noqa: N801 - reads as `with contained("logs"):`
    """A block whose errors stay inside obs; what is no `Exception` (Ctrl-C) passes."""

    __slots__ = ("_component",)

    def __init__(self, component: Component) -> None:
        self._component = component

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if error is None or not isinstance(error, Exception):
            return False
        report(self._component, error)
        return True


def _renew_in_child() -> None:
    global _busy
    _busy = threading.local()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_in_child)
