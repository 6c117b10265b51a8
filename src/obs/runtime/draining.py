"""Whether this process is on its way out: a leaf that a signal handler can write and readiness reads."""

from __future__ import annotations

import os

_draining = False


def begin() -> None:
    """Say that no more work should be sent here; readiness answers 503 from now on."""
    global _draining
    _draining = True


def end() -> None:
    """Take work again: at `init()`, at an application's start-up and in a forked child."""
    global _draining
    _draining = False


def active() -> bool:
    """Tell whether the process is draining."""
    return _draining


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=end)
