"""Wait for what real engines do in their own time."""

from __future__ import annotations

import http.client
import time
import urllib.error
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

    A server that does not answer yet, or refuses, is asked again. `instead` tells the reader of a failure what there is.
    """
    deadline = time.monotonic() + within
    while True:
        found, refusal = _try(look)
        if found:
            return found
        if time.monotonic() > deadline:
            told, _ = _try(instead)
            raise AssertionError(
                f"it did not happen within {within:g} s: {what}; there is {told}"
                + (f"; the last answer was {refusal!r}" if refusal else "")
            ) from refusal
        time.sleep(0.2)


def _try(ask: Callable[[], _Found]) -> tuple[_Found | None, Exception | None]:
    try:
        return ask(), None
    except (OSError, http.client.HTTPException) as refusal:
        # Of a server that ends in the middle of its answer, the half that came is no OSError.
        if isinstance(refusal, urllib.error.HTTPError):
            refusal.close()
        return None, refusal
