"""Levels and errors as standard logging, structlog and our own logger name them."""

from __future__ import annotations

import sys
from typing import Any

from obs.catalogue.log import LEVELS

#: Severity as the numbers of standard logging, so that comparing needs no table.
SEVERITY = {level: 10 * number for number, level in enumerate(LEVELS, start=1)}


def active_error(exc_info: Any) -> BaseException | None:
    """Return the error that an `exc_info` argument means, in any of the forms logging accepts."""
    if isinstance(exc_info, BaseException):
        return exc_info
    if isinstance(exc_info, tuple):
        found = exc_info[1] if len(exc_info) > 1 else None
        return found if isinstance(found, BaseException) else None
    return sys.exc_info()[1] if exc_info else None


def level_of(number: int) -> str:
    """Return the level name of a standard logging number, rounded down to one of ours."""
    index = min(max(number // 10, 1), len(LEVELS)) - 1
    return LEVELS[index]
