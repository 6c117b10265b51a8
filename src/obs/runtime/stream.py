"""Where a rendered line goes: one write to a file descriptor that may be broken, full or shared."""

from __future__ import annotations

import os
import select
import threading

#: Seconds that a full, non-blocking stream is waited for, once: until it takes bytes again, further
#: lines are given up at once. A blocking one stops its writer, as it does with `print`.
PATIENCE = 1.0


class Stream:
    """A file descriptor that gets whole lines, also from a forked child.

    With `torn` the half of a line stands there already.
    """

    def __init__(self, fd: int, patience: float = PATIENCE, *, torn: bool = False) -> None:
        self.fd = fd
        self._patience = patience
        self._stuck = False
        self._torn = torn
        self._busy = False
        self.renew()

    def renew(self) -> None:
        """Get a fresh lock: called in a forked child."""
        # Re-entrant, because a signal handler may log while this very thread is writing.
        self._lock = threading.RLock()
        if self._busy:
            # A thread of the parent was in the middle of a line, and goes on there.
            self._torn = False
        #: Lines of handlers in the middle of a line that takes more than one call, and whether there is one.
        self._waiting: list[bytes] = []
        self._busy = False
        self._smooth = not (self._stuck or self._torn)

    def write(self, line: bytes) -> None:
        """Write `line` in one call where the system allows it. Raises OSError."""
        size = len(line)
        with self._lock:
            done = 0
            # A pipe takes a longer one in parts.
            if self._smooth and size <= select.PIPE_BUF:
                # As nearly always; all else is for a stream that is full, broken, or has been.
                try:
                    done = os.write(self.fd, line)
                except BlockingIOError:
                    pass
                else:
                    if done == size:
                        return
            if self._busy:
                # What this interrupts writes both: neither line may stand in the middle of the other.
                self._waiting.append(line[done:])
            else:
                self._write_rest(line, done)

    def _write_rest(self, line: bytes, done: int) -> None:
        self._busy, self._smooth = True, False
        try:
            self._write_whole(line, done)
            while self._waiting:
                self._write_whole(self._waiting.pop(0), 0)
        finally:
            self._smooth = not (self._stuck or self._torn)
            self._busy = False

    def _write_whole(self, line: bytes, done: int) -> None:
        torn = self._torn
        if torn:
            # What is left of an earlier line must not make this one unreadable too.
            line = b"\n" + line
        # Until it is whole: an exception that a signal's handler raises may come after a part of it.
        self._torn = True
        try:
            while done < len(line):
                try:
                    done += os.write(self.fd, line[done:])
                except BlockingIOError:  # noqa: PERF203 - an exception here is the rare case
                    self._wait()
            self._stuck = self._torn = False
        except OSError:
            self._torn = torn or done > 0
            raise

    def _wait(self) -> None:
        """Wait until the stream takes bytes; raise BlockingIOError when it does not in time."""
        poll = select.poll()
        poll.register(self.fd, select.POLLOUT)
        if not poll.poll(0 if self._stuck else self._patience * 1000):
            self._stuck = True
            raise BlockingIOError(f"nobody reads file descriptor {self.fd}; its pipe is full")


_shared: dict[int, Stream] = {}


def shared(fd: int) -> Stream:
    """Return the one stream of `fd`: who writes to the same descriptor must wait for one another."""
    return _shared.setdefault(fd, Stream(fd))
