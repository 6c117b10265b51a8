"""Hold back Ctrl-C for the blink in which a started child is not yet on any list."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType


@contextlib.contextmanager
def held() -> Iterator[None]:
    """Deliver SIGINT and SIGTERM after the block instead of inside it.

    Only the main thread receives signals, and only handlers written in Python can be held back; with
    anything else the block runs as it is.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    arrived: list[tuple[int, FrameType | None]] = []

    def note(number: int, frame: FrameType | None) -> None:
        arrived.append((number, frame))

    before = {
        number: signal.signal(number, note)
        for number in (signal.SIGINT, signal.SIGTERM)
        if callable(signal.getsignal(number))
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for received, frame in arrived:
            handler = before[signal.Signals(received)]
            if callable(handler):
                handler(received, frame)
