"""One command at a time: a lock that the kernel lets go of when its holder ends, however that happens."""

from __future__ import annotations

import fcntl


def take(descriptor: int) -> bool:
    """Take the lock of an open file without waiting; tell whether it is ours now. Closing the file gives it back."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
