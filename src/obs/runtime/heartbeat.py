"""The sign of life of running jobs: one thread for all of them, only while there are some."""

from __future__ import annotations

import os
import threading
import time
from typing import Protocol

from obs.catalogue import jobs as signals
from obs.runtime import guard
from obs.runtime.instruments import gauge

HEARTBEAT = gauge(signals.HEARTBEAT)


class Living(Protocol):
    """What can tell that it lives."""

    def beat(self) -> None:
        """Tell it."""


class Pulse:
    """Lets each started run beat at once and then every so many seconds, until it is stopped."""

    def __init__(self) -> None:
        self._renew()

    def _renew(self) -> None:
        # Re-entrant, because a signal handler may run a job while this very thread begins one.
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        #: Run by identity -> itself, seconds between two beats, and when the next is due.
        self._runs: dict[int, tuple[Living, float, float]] = {}
        self._thread: threading.Thread | None = None

    def start(self, run: Living, interval: float) -> None:
        """Beat for `run` every `interval` seconds. Never raises."""
        with guard.contained("metrics"):
            run.beat()
            with self._lock:
                self._runs[id(run)] = (run, interval, time.monotonic() + interval)
                self._ensure_thread()
                self._changed.notify_all()

    def stop(self, run: Living) -> None:
        """Beat no more for `run`. Never raises."""
        with guard.contained("metrics"), self._lock:
            self._runs.pop(id(run), None)
            if not self._runs:
                # The thread ends with its last run.
                self._changed.notify_all()

    def before_fork(self) -> None:
        """End the thread: a fork beside a running thread is deprecated."""
        with guard.contained("metrics"):
            with self._lock:
                thread, self._thread = self._thread, None
                self._changed.notify_all()
            if thread is not None and thread is not threading.current_thread():
                thread.join(1.0)

    def after_fork_in_parent(self) -> None:
        """Go on where there is something to do."""
        with guard.contained("metrics"), self._lock:
            if self._runs:
                self._ensure_thread()

    def after_fork_in_child(self) -> None:
        """Forget the parent's runs."""
        self._renew()

    def _ensure_thread(self) -> None:
        before = self._thread
        if before is None:
            thread = threading.Thread(target=self._work, name="obs-heartbeat", daemon=True)
            if self._thread is not before:
                # A signal handler has made one meanwhile.
                return
            self._thread = thread
            try:
                thread.start()
            except BaseException:
                # Should it run after all, it ends as soon as it sees that it is not the one.
                self._thread = None
                raise

    def _work(self) -> None:
        me = threading.current_thread()
        while True:
            with self._lock:
                if self._thread is not me:
                    return
                if not self._runs:
                    self._thread = None
                    return
                now = time.monotonic()
                due = [run for run, _, at in self._runs.values() if at <= now]
                if not due:
                    self._changed.wait(min(at for _, _, at in self._runs.values()) - now)
                for run in due:
                    _, interval, _ = self._runs[id(run)]
                    self._runs[id(run)] = (run, interval, now + interval)
            for run in due:
                with guard.contained("metrics"):
                    run.beat()


pulse = Pulse()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=pulse.before_fork,
        after_in_parent=pulse.after_fork_in_parent,
        after_in_child=pulse.after_fork_in_child,
    )
