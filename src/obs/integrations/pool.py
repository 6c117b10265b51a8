"""A pool of connections as its users see it: lent out, at most, waited for, given up on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from obs.catalogue import db
from obs.runtime import guard, live
from obs.runtime.instruments import counter, gauge
from obs.runtime.settings import Settings

IN_USE = gauge(db.CONNECTIONS_IN_USE)
MAX = gauge(db.CONNECTIONS_MAX)
WAITING = gauge(db.CONNECTIONS_WAITING)
TIMEOUTS = counter(db.CONNECTION_TIMEOUTS)
OPENED = counter(db.CONNECTIONS_OPENED)


class PoolMeter:
    """Keeps the gauges of one pool. Every method is safe: an error of ours is the guard's.

    A connection is known by any hashable that stays the same while it is lent, so that events which
    a library repeats for one connection count once.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.most: float | None = None
        self._lent: set[object] = set()
        self._pid = os.getpid()
        self._settings: Settings | None = None

    def lend(self, connection: object) -> None:
        """Note that `connection` was taken from the pool."""
        with guard.contained("metrics"):
            running = self._refresh()
            if connection not in self._lent:
                self._lent.add(connection)
                if running:
                    IN_USE.series((self.name,)).inc()

    def take_back(self, connection: object) -> None:
        """Note that `connection` is the pool's again, or gone."""
        with guard.contained("metrics"):
            running = self._refresh()
            if connection in self._lent:
                self._lent.discard(connection)
                if running:
                    IN_USE.series((self.name,)).inc(-1)

    def wait(self) -> None:
        """Note that somebody began to wait for a connection."""
        with guard.contained("metrics"):
            self._refresh()
            WAITING.series((self.name,)).inc()

    def waited(self, *, in_vain: bool) -> None:
        """Note that somebody stopped waiting, with a connection or without one."""
        with guard.contained("metrics"):
            WAITING.series((self.name,)).inc(-1)
            if in_vain:
                TIMEOUTS.series((self.name,)).inc()

    def is_full(self) -> bool:
        """Tell whether every connection is lent, so that the next one has to be waited for."""
        return self.most is not None and len(self._lent) >= self.most

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Count who takes a connection in the block as waiting, and as given up on failure."""
        self.wait()
        in_vain = False
        try:
            yield
        except Exception:
            in_vain = True
            raise
        finally:
            self.waited(in_vain=in_vain)

    def opened(self) -> None:
        """Note that the pool made a connection."""
        with guard.contained("metrics"):
            self._refresh()
            OPENED.series((self.name,)).inc()

    def _refresh(self) -> bool:
        """Begin the gauges anew where that is due; tell whether obs is running."""
        settings, pid = live.settings(), os.getpid()
        if pid != self._pid:
            # Connections of the parent are not this process's to use or to count.
            self._pid, self._settings = pid, None
            self._lent.clear()
        if settings is self._settings or settings is None:
            return settings is not None
        # The gauges begin anew with every init.
        self._settings = settings
        IN_USE.series((self.name,)).set(len(self._lent))
        WAITING.series((self.name,)).inc(0)
        TIMEOUTS.series((self.name,)).inc(0)
        if self.most is not None:
            MAX.series((self.name,)).set(self.most)
        return True
