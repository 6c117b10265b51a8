"""The host's own registry: collected for a scrape, without a lock of it that a fork could take along.

A lock that a thread holds while another one forks is held in the child for ever. Those of
prometheus_client are taken by whoever collects, which is us, and by whoever counts, which is the host.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from prometheus_client import REGISTRY, CollectorRegistry, Metric, values
from prometheus_client.metrics import MetricWrapperBase

from obs.runtime import guard, inherited

#: Seconds that a fork waits for collections under way: a collector of the host's may take its time.
_PATIENCE = 0.2


class _Turns:
    """Lets forks and collections keep out of one another's way; collections do not wait for each other."""

    def __init__(self) -> None:
        # Re-entrant, because a collector or a signal handler may scrape or fork.
        self._changed = threading.Condition(threading.RLock())
        self._collecting: set[object] = set()

    @contextmanager
    def collection(self) -> Iterator[None]:
        """Collect meanwhile."""
        mine = object()
        try:
            with self._changed:
                self._collecting.add(mine)
            yield
        finally:
            with self._changed:
                self._collecting.discard(mine)
                self._changed.notify_all()

    def begin_fork(self) -> None:
        """Let no collection begin, and wait for those under way."""
        self._changed.acquire()
        self._changed.wait_for(lambda: not self._collecting, _PATIENCE)

    def end_fork(self) -> None:
        """Let collections begin."""
        # Not held where the beginning has failed.
        with suppress(RuntimeError):
            self._changed.release()


_turns = _Turns()


def collect() -> list[Metric]:
    """Collect the host's registry; a collector of its that fails must not cost us our scrape."""
    found: list[Metric] = []
    with _turns.collection():
        with guard.contained("metrics"):
            # Its own mode for several processes, which it has switched on by PROMETHEUS_MULTIPROC_DIR.
            if getattr(values.ValueClass, "_multiprocess", False):
                from prometheus_client.multiprocess import MultiProcessCollector

                several: Any = MultiProcessCollector
                found += several(None).collect()
        with guard.contained("metrics"):
            found += REGISTRY.collect()
    return found


def free(registry: CollectorRegistry) -> None:
    """Free, in the child of a fork, the locks of a registry and of its metrics."""
    inherited.free(registry)
    for collector in list(getattr(registry, "_collector_to_names", ())):
        if isinstance(collector, MetricWrapperBase):
            for part in _parts(collector):
                # By name: to look at all attributes takes three times as long, and there may be many series.
                inherited.renew(getattr(part, "_lock", None))


def _parts(metric: MetricWrapperBase) -> Iterable[object]:
    """Return a metric, its series, and what keeps their numbers: each may have a lock."""
    for series in (metric, *list(getattr(metric, "_metrics", {}).values())):
        yield series
        for name in ("_value", "_sum", "_count"):
            yield getattr(series, name, None)
        yield from getattr(series, "_buckets", ())


def _hold() -> None:
    _turns.begin_fork()


def _resume() -> None:
    _turns.end_fork()


def _renew_in_child() -> None:
    global _turns
    _turns = _Turns()
    free(REGISTRY)
    # One lock for all values, in the host's own mode for several processes.
    for cell in getattr(getattr(values.ValueClass, "inc", None), "__closure__", None) or ():
        inherited.renew(cell.cell_contents)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_hold, after_in_parent=_resume, after_in_child=_renew_in_child)
