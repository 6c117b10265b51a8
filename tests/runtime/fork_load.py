"""Forks while threads log through every door; run by tests as `fork_load.py FORKS FILE [OTLP-URL]`.

The parent writes to its stdout as fast as it can, so that the locks of a line are nearly always held.
Each child logs a few lines to FILE and ends. Told on stderr as JSON: how many children hung or failed.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import sys
import threading
import time
import warnings

import structlog

import obs
from obs.runtime import levels

THREADS = 4
#: Seconds after which a child that has a few milliseconds of work counts as hung.
PATIENCE = 30.0


def work(name: str) -> None:
    """Write lines through every door, repeat some and change levels meanwhile."""
    foreign, structured = logging.getLogger("foreign"), structlog.get_logger("structured")
    for number in range(10):
        with obs.span("turn"), obs.bind(step=number):
            obs.log.info("a turn", who=name, text="x" * 200)
            foreign.warning("a turn of %s", name, extra={"who": name})
            structured.info("a turn", who=name)
            foreign.debug("hidden, mostly")
        if number == 5:
            levels.change("debug" if len(name) % 2 else "info", "foreign")


def wait(child: int) -> int | None:
    """Return the exit code of `child`, None when it hung and was killed."""
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.002)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def main(forks: int, file: str, url: str) -> None:
    """Fork so often, and tell what became of the children."""
    lines = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    # Python 3.12 warns of every fork with threads, which is the very case here.
    warnings.simplefilter("ignore", DeprecationWarning)
    exported = {"otlp_endpoint": url, "otlp_logs": "both"} if url else {}
    obs.init("forks", log_format="json", log_repeat_limit=1_000_000, **exported)
    stop = threading.Event()

    def busy() -> None:
        while not stop.is_set():
            work("parent")

    def write() -> None:
        while not stop.is_set():
            obs.log.info("as fast as it goes")

    threads = [threading.Thread(target=(busy, write)[number % 2], daemon=True) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    sys.setswitchinterval(1e-5)
    hung = failed = 0
    for number in range(forks):
        child = os.fork()
        if not child:
            code = 1
            with contextlib.suppress(Exception):
                os.dup2(lines, 1)
                work(f"child {number}")
                code = 0 if obs.flush(10) or url else 1
            os._exit(code)
        code_ = wait(child)
        hung += code_ is None
        failed += code_ not in {None, 0}
    stop.set()
    for thread in threads:
        thread.join()
    obs.shutdown(5)
    print(json.dumps({"hung": hung, "failed": failed}), file=sys.stderr)  # noqa: T201


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else "")
