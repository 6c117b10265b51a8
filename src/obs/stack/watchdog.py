"""End the children of a program that died: a small process of its own, one for each such program.

It reads lines from its standard input, a pipe whose other end only the program holds: ``+PID STARTED``
for a child to look after, ``-PID`` for one that was stopped. When the pipe ends, the program is gone,
however it went, and every child still on the list is ended. (The kernel's parent-death signal would
follow the thread that started the child, not the program, and end its group only in part.)
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time

from obs.stack.identity import is_alive

#: Seconds between asking the children to end and making them.
_GRACE = 5.0


def main() -> None:
    """Follow standard input to its end, then end the children that are left."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # Whoever stops the program's group means the program: we go when it has gone.
        signal.signal(number, signal.SIG_IGN)
    children: dict[int, str] = {}
    for line in sys.stdin:
        pid, _, started = line[1:].strip().partition(" ")
        if line.startswith("+"):
            children[int(pid)] = started
        else:
            children.pop(int(pid), None)
    end_all(children)


def end_all(children: dict[int, str]) -> None:
    """Send SIGTERM to each child's group, SIGKILL to those still there after the grace."""
    _signal(children, signal.SIGTERM)
    deadline = time.monotonic() + _GRACE
    while time.monotonic() < deadline and any(is_alive(*child) for child in children.items()):
        time.sleep(0.05)
    _signal(children, signal.SIGKILL)


def _signal(children: dict[int, str], number: signal.Signals) -> None:
    for pid, started in children.items():
        if is_alive(pid, started):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, number)


if __name__ == "__main__":
    main()
