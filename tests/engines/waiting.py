"""Wait for what real engines do in their own time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

_Found = TypeVar("_Found")


def await_(
    look: Callable[[], _Found | None],
    what: str,
    *,
    within: float = 120.0,
    instead: Callable[[], object] = lambda: "nothing else to tell",
) -> _Found:
    """Return the first true answer of `look`; the limit, in seconds, only ends a test that has failed.

    `instead` tells the reader of a failure what there is.
    """
    deadline = time.monotonic() + within
    while not (found := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"it did not happen within {within:g} s: {what}; there is {instead()}")
        time.sleep(0.2)
    return found
