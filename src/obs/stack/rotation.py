"""Keep the logs of a native stack bounded: a small process of its own copies and empties those that grow.

The servers hold their logs open and append, so emptying is safe; what is written between the copy and
the emptying is lost. These are the servers' own words. Logs of services below `log/services` are their
writers' affair: the collector may not have read them yet.
"""

from __future__ import annotations

import contextlib
import shutil
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

from obs.stack import process
from obs.stack.process import Program

#: Bytes of a log before it is rotated, how many older parts are kept, and seconds between two looks.
LIMIT = 20_000_000
KEPT = 3
_EVERY = 5.0

#: Isolated from the environment and the working directory, as the watchdog is.
_START = "import sys; sys.path.insert(0, sys.argv[1]); from obs.stack.rotation import main; main()"
_IMPORTS_FROM = Path(__file__).resolve().parent.parent.parent
_NAME = "log-rotation"


def programs(directory: Path) -> list[Program]:
    """Return what to start for the logs in `<directory>/log`: nothing where it runs already."""
    pid_file = directory / "run" / f".{_NAME}.json"
    if process.find(pid_file) is not None:
        return []
    return [
        Program(
            name=_NAME,
            argv=(sys.executable, "-I", "-c", _START, str(_IMPORTS_FROM), str(directory)),
            log=directory / "log" / f"{_NAME}.log",
            pid_file=pid_file,
            directory=directory,
        )
    ]


def stop(directory: Path) -> None:
    """Stop the rotation; twice is harmless."""
    running = process.find(directory / "run" / f".{_NAME}.json")
    if running is not None:
        process.stop(running)


def main() -> None:
    """Look after the logs of the state directory in the last argument until the stack is down."""
    directory = Path(sys.argv[-1])
    ended = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        ended.set()

    signal.signal(signal.SIGTERM, end)
    while not ended.wait(_EVERY) and (directory / "run").is_dir():
        for log in (directory / "log").glob("*.log"):
            with contextlib.suppress(OSError):
                rotate(log, limit=LIMIT, kept=KEPT)


def rotate(log: Path, *, limit: int, kept: int) -> bool:
    """Move the content of `log` to `<log>.1` if it has more than `limit` bytes, keeping `kept` older parts.

    Raises:
        OSError: there is no room for it; everything stays as it was.
    """
    if log.stat().st_size <= limit:
        return False
    copy = log.with_name(f".{log.name}.new")
    try:
        shutil.copyfile(log, copy)
    except OSError:
        # On a full disk the older parts stay, and half a copy would only fill it further.
        copy.unlink(missing_ok=True)
        raise
    for number in range(kept - 1, 0, -1):
        older = log.with_name(f"{log.name}.{number}")
        if older.exists():
            older.replace(log.with_name(f"{log.name}.{number + 1}"))
    copy.replace(log.with_name(f"{log.name}.1"))
    with log.open("r+b") as opened:
        opened.truncate(0)
    return True
