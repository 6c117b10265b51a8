"""Server processes of this test run alone: started, waited for, ended."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import redis
from tests.engines import tied

#: In seconds; the limit only ends a test that has failed.
_READY_WITHIN = 60.0


@contextlib.contextmanager
def running(argv: list[str], log: Path, cwd: Path, **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server in the block; what it says goes to `log`."""
    # For PostgreSQL: end without waiting for sessions.
    ending = signal.SIGINT
    with (
        log.open("wb") as output,
        tied.serving(
            argv, ending=ending, within=30.0, stdout=output, stderr=subprocess.STDOUT, cwd=cwd, **options
        ) as server,
    ):
        yield server


def await_ready(ready: Callable[[], object], server: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until `ready` meets no refusal and does not return False."""
    deadline = time.monotonic() + _READY_WITHIN
    while not _works(ready):
        assert server.poll() is None, log.read_text(errors="replace")
        assert time.monotonic() < deadline, log.read_text(errors="replace")
        time.sleep(0.05)


def _works(ready: Callable[[], object]) -> bool:
    try:
        return ready() is not False
    except (psycopg.OperationalError, redis.RedisError):
        return False
