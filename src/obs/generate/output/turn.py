"""Take turns: one writer of a directory at a time, and nobody who reads while it writes.

The lock is on the directory itself, so that no file of a lock is left behind and it ends with its process.
Where the file system knows no locks there are none; each file is still replaced as a whole.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path


def nothing() -> None:
    """Do nothing while waiting."""


@contextlib.contextmanager
def writing(out: Path, on_wait: Callable[[], None] = nothing) -> Iterator[None]:
    """Hold the only turn to write under `out`; `on_wait` is called once when somebody else has it."""
    with _held(out, fcntl.LOCK_EX, on_wait):
        yield


@contextlib.contextmanager
def reading(out: Path) -> Iterator[None]:
    """Hold one of many turns to read under `out`; a directory that does not exist needs none."""
    with _held(out, fcntl.LOCK_SH, nothing):
        yield


@contextlib.contextmanager
def _held(out: Path, kind: int, on_wait: Callable[[], None]) -> Iterator[None]:
    handle = None
    with contextlib.suppress(OSError):
        handle = os.open(out, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    if handle is None:
        yield
        return
    try:
        _take(handle, kind, on_wait)
        yield
    finally:
        os.close(handle)  # which gives the turn back


def _take(handle: int, kind: int, on_wait: Callable[[], None]) -> None:
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        on_wait()
        with contextlib.suppress(OSError):
            fcntl.flock(handle, kind)
    except OSError:
        return  # a file system without locks
