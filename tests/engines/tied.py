"""A server process of a test: in a session of its own, ended with the test and everything it has started, however that ends."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from obs.stack import tether
from obs.stack.identity import is_alive, started_at

_OWNER = "owner"


@contextlib.contextmanager
def serving(
    argv: Sequence[str | Path],
    *,
    ending: signal.Signals = signal.SIGTERM,
    within: float = 60.0,
    **options: Any,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server in the block and end it by the signal `ending`, or for good after `within` seconds.

    `options` are those of `subprocess.Popen`. Whoever kills the worker of xdist, as the end of an interrupted run
    does, ends the server as well.
    """
    server = subprocess.Popen(argv, stdin=subprocess.DEVNULL, start_new_session=True, **options)
    started = started_at(server.pid) or "ended at once"
    tether.tie(server.pid, started)
    try:
        yield server
    finally:
        _end(server, started, ending, within)
        tether.untie(server.pid)


def _end(server: subprocess.Popen[bytes], started: str, number: signal.Signals, within: float) -> None:
    # Once it is waited for, its number may be somebody else's.
    if server.returncode is not None:
        return
    os.kill(server.pid, number)
    deadline = time.monotonic() + within
    while is_alive(server.pid, started) and time.monotonic() < deadline:
        time.sleep(0.02)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGKILL)
    server.wait()


@contextlib.contextmanager
def directory(prefix: str) -> Iterator[Path]:
    """Make a temporary directory that an ordinary user may enter, as none of pytest's, and remove it afterwards.

    Those of the same prefix whose owners are gone without having done it are removed first.
    """
    for owner in Path(tempfile.gettempdir()).glob(f"{prefix}*/{_OWNER}"):
        with contextlib.suppress(OSError, ValueError):
            pid, _, started = owner.read_text(encoding="utf-8").partition(" ")
            if not is_alive(int(pid), started):
                shutil.rmtree(owner.parent, ignore_errors=True)
    place = Path(tempfile.mkdtemp(prefix=prefix))
    (place / _OWNER).write_text(f"{os.getpid()} {started_at(os.getpid())}", encoding="utf-8")
    place.chmod(0o755)
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)
