"""Keep what is tracked fresh where another process is scraped: only this one can read it."""

from __future__ import annotations

import threading
from collections.abc import Callable

from obs.runtime import guard

#: Seconds between two readings; a scrape of this very process reads anew all the same.
INTERVAL = 5.0
#: Seconds that a fork waits for a reading under way.
_PATIENCE = 0.2


class Refresher:
    """A thread that reads every tracked gauge now and then; it exists only while it is needed."""

    def __init__(self, refresh: Callable[[], None]) -> None:
        self._refresh = refresh
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin, unless it runs already."""
        before = self._thread
        if before is not None and before.is_alive():
            return
        stopping = threading.Event()
        thread = threading.Thread(target=self._work, args=(stopping,), name="obs-tracked", daemon=True)
        if self._thread is not before:
            # A signal handler has made one meanwhile.
            return
        self._thread, self._stopping = thread, stopping
        # At the end of the interpreter no thread can be started any more.
        with guard.contained("metrics"):
            thread.start()

    def stop(self) -> None:
        """End the thread: this process is about to fork, or needs it no more."""
        thread, self._thread = self._thread, None
        if thread is None:
            # Once only: a signal handler in the middle of it would wait for the event's own lock for ever.
            return
        self._stopping.set()
        if thread.is_alive() and thread is not threading.current_thread():
            thread.join(_PATIENCE)

    def forget(self) -> None:
        """Know, in the child of a fork, that the thread is the parent's."""
        self._thread = None

    def _work(self, stopping: threading.Event) -> None:
        while not stopping.wait(INTERVAL):
            with guard.contained("metrics"):
                self._refresh()
