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
        self.renew()

    def renew(self) -> None:
        """Get a fresh lock: called in a forked child."""
        # Re-entrant, because a signal handler may log while this very thread is writing.
        self._lock = threading.RLock()

    def write(self, line: bytes) -> None:
        """Write `line` in one call where the system allows it. Raises OSError."""
        with self._lock:
            done = 0
            if not self._torn and not self._stuck:
                # As nearly always; all else is for a stream that is full, broken, or has been.
                try:
                    done = os.write(self.fd, line)
                except BlockingIOError:
                    pass
                else:
                    if done == len(line):
                        return
            self._write_rest(line, done)

    def _write_rest(self, line: bytes, done: int) -> None:
        if self._torn:
            # What is left of an earlier line must not make this one unreadable too.
            line = b"\n" + line
        try:
            while done < len(line):
                try:
                    done += os.write(self.fd, line[done:])
                except BlockingIOError:  # noqa: PERF203 - an exception here is the rare case
                    self._wait()
            self._stuck = self._torn = False
        except OSError:
            self._torn = self._torn or done > 0
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
