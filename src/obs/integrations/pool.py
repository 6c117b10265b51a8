"""A pool of connections as its users see it: lent out, at most, waited for, given up on."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from weakref import WeakSet

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
    """Counts for one pool. Every method is safe: an error of ours is the guard's.

    Pools of the same name, such as those of two clients of one server, are told as one. A connection
    is known by any hashable that stays the same while it is lent, so that events which a library
    repeats for one connection count once.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.lent: set[object] = set()
        self._most: float | None = None
        #: The beginning of the gauges since which it was used.
        self._since: object = None
        self._shared = _shared.setdefault(name, _Gauges(name))
        self._shared.meters.add(self)

    @property
    def most(self) -> float | None:
        """Most connections that the pool lends; None for a pool without a limit."""
        return self._most

    @most.setter
    def most(self, most: float | None) -> None:
        self._most = most
        with guard.contained("metrics"):
            if self in self._shared.used:
                self._shared.tell_most()

    def lend(self, connection: object) -> None:
        """Note that `connection` was taken from the pool."""
        with guard.contained("metrics"):
            running = self._refresh()
            if connection not in self.lent:
                self.lent.add(connection)
                if running:
                    IN_USE.series((self.name,)).inc()

    def take_back(self, connection: object) -> None:
        """Note that `connection` is the pool's again, or gone."""
        with guard.contained("metrics"):
            running = self._refresh()
            if connection in self.lent:
                self.lent.discard(connection)
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
        return self.most is not None and len(self.lent) >= self.most

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
        """Begin the gauges anew where that is due, and be counted in them; tell whether obs is running."""
        running = self._shared.refresh()
        if running and self._since is not self._shared.began:
            self._since = self._shared.began
            self._shared.used.add(self)
            self._shared.tell_most()
        return running


class _Gauges:
    """The gauges of all pools of one name, which begin anew with every init and in every forked process."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.meters: WeakSet[PoolMeter] = WeakSet()
        #: Those of them that were used since the gauges began: the rest may wait to be collected.
        self.used: WeakSet[PoolMeter] = WeakSet()
        #: Another object with every beginning.
        self.began: object = None
        self._pid = os.getpid()
        self._settings: Settings | None = None

    def refresh(self) -> bool:
        """Begin the gauges anew where that is due; tell whether obs is running."""
        settings, pid = live.settings(), os.getpid()
        if pid != self._pid:
            # Connections of the parent are not this process's to use or to count.
            self._pid, self._settings = pid, None
            for meter in list(self.meters):
                meter.lent.clear()
        if settings is self._settings or settings is None:
            return settings is not None
        self._settings, self.began = settings, object()
        self.used = WeakSet(meter for meter in list(self.meters) if meter.lent)
        IN_USE.series((self._name,)).set(sum(len(meter.lent) for meter in list(self.meters)))
        WAITING.series((self._name,)).inc(0)
        TIMEOUTS.series((self._name,)).inc(0)
        self.tell_most()
        return True

    def tell_most(self) -> None:
        """Set how many connections all pools lend at most: beside one without a limit there is none."""
        limits = [meter.most for meter in list(self.used)]
        if any(limit is not None for limit in limits):
            MAX.series((self._name,)).set(sum(math.inf if limit is None else limit for limit in limits))


_shared: dict[str, _Gauges] = {}
