"""Keep what a service prints in files that never fill the disk: ``python -m obs.stack.spool FILE -- COMMAND``.

Containers hand their lines to the collector by a shared volume. A service that wrote its file itself would have to
let go of it before anybody could rotate it; this program stands between: it runs COMMAND, appends its standard output
to FILE, and renames FILE once it is full, at the end of a line. Renamed files stay beside it under names that the
collector follows too (``checkout.log``, ``checkout.log.00000007``), the oldest goes. Standard error is left alone.

How much to keep: bytes of lines a second times the seconds that the collector may be away. While only a backend is
away, the collector goes on reading, into its own queue.
"""

from __future__ import annotations

import argparse
import os
import re
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType

from obs.errors import ConfigError, ObsError, StackError

#: What Docker and people send to the service; this program only passes it on.
_PASSED_ON = (
    signal.SIGTERM,
    signal.SIGINT,
    signal.SIGHUP,
    signal.SIGQUIT,
    signal.SIGUSR1,
    signal.SIGUSR2,
)
_CHUNK = 1 << 16

#: Bytes after which a line that does not end is written as it is.
_LONGEST_LINE = 1 << 20

#: Seconds that are given to a child of the service that outlives it with the same output.
_DRAIN = 1.0

_SIZE = re.compile(r"(\d+)(KiB|MiB|GiB)?", re.ASCII)
_UNITS = {None: 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}


class Spool:
    """A file that is appended to, and the full ones before it: `keep` files of `size` bytes at most.

    Raises:
        StackError: the file cannot be opened.
    """

    def __init__(self, path: Path, size: int, keep: int) -> None:
        self._path, self._size, self._keep = path, size, keep
        self._full = re.compile(re.escape(path.name) + r"\.(\d{8})")
        #: Bytes that had no place: the disk is full, or the volume is gone.
        self.lost = 0
        try:
            self._open()
        except OSError as error:
            raise StackError(f"cannot be written: {error.strerror}", where=str(path)) from None

    def write(self, lines: bytes) -> None:
        """Append whole lines, never raising: a service must not stop because its lines have no place."""
        rest = memoryview(lines)
        try:
            if self._used and self._used + len(rest) > self._size:
                self._rotate()
            while rest:
                written = os.write(self._descriptor, rest)
                self._used += written
                rest = rest[written:]
        except OSError as error:
            if not self.lost:
                sys.stderr.write(f"spool: {self._path}: {error.strerror}; what has no place is lost\n")
            self.lost += len(rest)

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._descriptor)

    def _rotate(self) -> None:
        full = self.full()
        last = int(self._full.fullmatch(full[-1].name)[1]) if full else 0  # type: ignore[index]
        self._path.rename(f"{self._path}.{last + 1:08}")
        os.close(self._descriptor)
        self._open()
        for old in self.full()[: -(self._keep - 1) or None]:
            old.unlink(missing_ok=True)

    def full(self) -> list[Path]:
        """Return the full files, oldest first."""
        return sorted(path for path in self._path.parent.iterdir() if self._full.fullmatch(path.name))

    def _open(self) -> None:
        self._descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        self._used = os.fstat(self._descriptor).st_size


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command of `arguments` to its end and return its exit code, 128 + N after signal N."""
    options = _parse(arguments)
    try:
        spool = Spool(options.file, _size(options.size), options.keep)
        code = _run(options.command, spool)
    except ObsError as error:
        sys.stderr.write(f"error: {error}\n")
        return error.exit_code
    spool.close()
    return code


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m obs.stack.spool",
        description="Run a command; keep its standard output in a file that is rotated.",
        epilog="Example: python -m obs.stack.spool /var/log/obs/checkout.log -- python -m checkout",
    )
    parser.add_argument("file", type=Path, help="where the lines go")
    parser.add_argument("--size", default="128MiB", help="of one file (default: %(default)s)")
    parser.add_argument(
        "--keep", type=int, default=8, help="files, the present one included (default: %(default)s)"
    )
    parser.add_argument("command", nargs="+", help="what to run, after --")
    options = parser.parse_args(arguments)
    if options.keep < 2:
        parser.error(f"--keep: got {options.keep}, expected at least 2: the present file and a full one")
    return options


def _size(text: str) -> int:
    match = _SIZE.fullmatch(text)
    number = int(match[1]) * _UNITS[match[2]] if match else 0
    if number < 1:
        raise ConfigError(
            f"--size: got {text!r}, expected a whole number with KiB, MiB or GiB, such as 128MiB"
        )
    return number


def _run(command: Sequence[str], spool: Spool) -> int:
    try:
        child = subprocess.Popen(command, stdout=subprocess.PIPE)
    except OSError as error:
        raise StackError(f"{command[0]} does not start: {error.strerror}") from None

    def pass_on(signum: int, _frame: FrameType | None) -> None:
        child.send_signal(signum)

    for signum in _PASSED_ON:
        signal.signal(signum, pass_on)
    for lines in _lines(child):
        spool.write(lines)
    code = child.wait()
    return code if code >= 0 else 128 - code


def _lines(child: subprocess.Popen[bytes]) -> Iterator[bytes]:
    """Yield what the child prints, whole lines at a time, until nobody holds its output any more."""
    assert child.stdout is not None  # noqa: S101 - asked for above
    pending = bytearray()
    with child.stdout, selectors.DefaultSelector() as ready:
        ready.register(child.stdout, selectors.EVENT_READ)
        deadline = float("inf")
        while time.monotonic() < deadline:
            if child.poll() is not None and deadline == float("inf"):
                deadline = time.monotonic() + _DRAIN
            if not ready.select(timeout=0.2):
                continue
            chunk = os.read(child.stdout.fileno(), _CHUNK)
            if not chunk:
                break
            pending += chunk
            end = pending.rfind(b"\n") + 1 or (len(pending) if len(pending) > _LONGEST_LINE else 0)
            if end:
                yield bytes(pending[:end])
                del pending[:end]
    if pending:
        yield bytes(pending)


if __name__ == "__main__":
    sys.exit(main())
