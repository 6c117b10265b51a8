"""Plain integers about obs itself: a leaf that guard, logs and traces write and metrics reads.

Counting must work where the metrics pillar is off, broken or the very thing that failed.
"""

from __future__ import annotations

import os
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["errors", "overflow", "spans_dropped", "log_records", "logs_dropped"]

# Re-entrant, because a signal handler may log while this very thread is counting.
_lock = threading.RLock()
_counts: defaultdict[tuple[Kind, str], int] = defaultdict(int)
#: When counting began, in seconds since the Unix epoch: the `_created` of every count.
started = time.time()
#: Told kind, key and the new total after each count, where other processes are to see it too.
_mirror: Callable[[str, str, int], None] | None = None


def mirror_to(mirror: Callable[[str, str, int], None] | None) -> None:
    """Tell `mirror` every total, now and whenever it changes; None ends that.

    It is called without the lock, so totals may reach it in another order than they were reached in.
    """
    global _mirror
    with _lock:
        _mirror = mirror
        totals = list(_counts.items()) if mirror is not None else []
    for (kind, key), total in totals:
        if mirror is not None:
            mirror(kind, key, total)


def add(kind: Kind, key: str, amount: int = 1) -> None:
    """Count `amount` more of `kind` under `key`."""
    counted = (kind, key)
    with _lock:
        # Neither a signal's handler nor the garbage collector comes between the two halves of this: see
        # `obs.runtime.metrics.store`.
        _counts[counted] += amount
        total = _counts[counted]
    mirror = _mirror
    if mirror is not None:
        mirror(kind, key, total)


def count(kind: Kind, key: str) -> int:
    """Return the count of `kind` under `key`."""
    return _counts.get((kind, key), 0)


def counts(kind: Kind) -> dict[str, int]:
    """Return a copy of all counts of `kind`, by key."""
    with _lock:
        return {key: number for (of, key), number in _counts.items() if of == kind}


def everything() -> dict[tuple[Kind, str], int]:
    """Return a copy of all counts, by kind and key."""
    with _lock:
        return dict(_counts)


def reset() -> None:
    """Start from zero, as in a new process."""
    global started
    with _lock:
        _counts.clear()
        started = time.time()


def _renew_in_child() -> None:
    global _lock, _mirror
    _lock = threading.RLock()
    _mirror = None
    reset()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_in_child)
