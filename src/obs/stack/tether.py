"""Tie children to this program's life by a watchdog, which runs as long as one child is tied."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO

#: Isolated from the environment and the working directory, so that nothing there can break it.
_START = "import sys; sys.path.insert(0, sys.argv[1]); from obs.stack.watchdog import main; main()"
_IMPORTS_FROM = Path(__file__).resolve().parent.parent.parent

_lock = threading.Lock()
_tied: dict[int, str] = {}
_watchdog: subprocess.Popen[bytes] | None = None
_owner = 0


def prepare() -> None:
    """Start the watchdog before the child that it is for, so that `tie` takes no time in which this program may end.

    `untie` lets it go, also where the child never came to be.
    """
    with _lock, contextlib.suppress(OSError):
        _pipe()


def tie(pid: int, started: str) -> None:
    """Have the process ended when this program ends, however that happens."""
    with _lock:
        pipe = _pipe()
        _tied[pid] = started
        _say(pipe, f"+{pid} {started}\n")


def untie(pid: int) -> None:
    """Let go of a process that was stopped; one that was never tied is no error."""
    with _lock:
        watchdog = _watchdog
        if _owner != os.getpid() or watchdog is None:
            return
        if _tied.pop(pid, None) is not None:
            _say(_stdin(watchdog), f"-{pid}\n")
        if not _tied:
            _dismiss(watchdog)


def _pipe() -> IO[bytes]:
    global _watchdog, _owner
    if _owner != os.getpid():
        # After a fork the watchdog and its charges are the parent's.
        _tied.clear()
        _watchdog, _owner = None, os.getpid()
    if _watchdog is not None and _watchdog.poll() is not None:
        # Somebody killed it: its successor looks after everyone.
        _dismiss(_watchdog)
    if _watchdog is None:
        _watchdog = subprocess.Popen(
            [sys.executable, "-I", "-c", _START, str(_IMPORTS_FROM)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
        )
        for pid, started in _tied.items():
            _say(_stdin(_watchdog), f"+{pid} {started}\n")
    return _stdin(_watchdog)


def _dismiss(watchdog: subprocess.Popen[bytes]) -> None:
    global _watchdog
    with contextlib.suppress(BrokenPipeError):
        _stdin(watchdog).close()
    watchdog.wait()
    _watchdog = None


def _stdin(watchdog: subprocess.Popen[bytes]) -> IO[bytes]:
    assert watchdog.stdin is not None  # noqa: S101 - asked for above
    return watchdog.stdin


def _say(pipe: IO[bytes], line: str) -> None:
    with contextlib.suppress(BrokenPipeError):
        pipe.write(line.encode())
        pipe.flush()
