"""A command that builds much and drops little, without searches for garbage in between."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def no_collecting() -> Iterator[None]:
    """Look for no garbage: what is read and planned lives until the end, and looking took up to a third of it."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        # To the old: else the next list that is made has all of it looked at, most of it for nothing.
        gc.freeze()
        gc.unfreeze()
        if was_on:
            gc.enable()
