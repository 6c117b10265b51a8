"""Locks that are not ours and that a forked child inherits locked, by a thread that it does not have.

Python renews its own locks in a child, and every library should; what this module knows of are those
that do not: the import system's, one a module, those of buffers, and by `free` those of objects of other
libraries.
"""

from __future__ import annotations

import importlib
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import socket

#: Seconds that a fork waits for the imports of other threads, and between two looks at them.
_PATIENCE, _STEP = 5.0, 0.001
#: Module and thread of imports that took longer: no further fork waits for them.
_endless: set[tuple[str, int]] = set()


def free(*owners: object) -> None:
    """Free every lock, condition and event that is an attribute of `owners`; call in a forked child.

    As the standard library does with its own. Who has none, in another version of its library, stays as
    it is; what the locks guard may be half changed, and is for the caller to replace.
    """
    for owner in owners:
        for value in list(getattr(owner, "__dict__", {}).values()):
            renew(value)


def renew(lock: object) -> None:
    """Free a lock, condition or event, in a forked child; anything else stays as it is."""
    again = getattr(lock, "_at_fork_reinit", None)
    if again is not None:
        again()


def close(sock: socket.socket | None) -> None:
    """Close, in a forked child, its copy of a socket, and nothing that reads from it: a buffer has a lock."""
    if sock is not None:
        with suppress(OSError):
            os.close(sock.detach())


def await_imports() -> None:
    """Let other threads finish what they import, before a fork: in the child it would never be finished."""
    ends = time.monotonic() + _PATIENCE
    while waiting := set(_imports()) - _endless:
        if time.monotonic() >= ends:
            _endless.update(waiting)
            return
        time.sleep(_STEP)


def forget_imports() -> None:
    """Begin anew, in a forked child, with what a thread of the parent was importing all the same."""
    for name, _ in list(_imports()):
        _locks().pop(name, None)
        found = sys.modules.get(name)
        if getattr(getattr(found, "__spec__", None), "_initializing", False):
            del sys.modules[name]
    _endless.clear()


def _imports() -> Iterator[tuple[str, int]]:
    """Yield the modules that other threads are importing, each with its thread."""
    here = threading.get_ident()
    for name, reference in list(_locks().items()):
        thread = getattr(reference(), "owner", None)
        if thread is not None and thread != here:
            yield name, thread


def _locks() -> dict[Any, Any]:
    """Return the import system's locks by name of module; one exists only while it is needed."""
    found: dict[Any, Any] = getattr(getattr(importlib, "_bootstrap", None), "_module_locks", {})
    return found
