"""Lines that repeat: so many a second of one kind, then a count of the rest.

A loop that fails writes the same line thousands of times a second, pays for each, and hides every
other. What is left out is told by one line a kind and second, and counted.
"""

from __future__ import annotations

import threading
from typing import NamedTuple

#: Kinds told apart within a second; further ones are written, all of them.
_MOST_KINDS = 1_024
#: Characters of the event that tell kinds apart.
_KEY_LIMIT = 256


class Kind(NamedTuple):
    """What makes two lines the same: all but their values."""

    logger: str
    level: str
    event: str
    #: Qualified name of the error's type; another error under the same words is no repetition.
    error: str


class Repeats:
    """The lines of this second, by kind.

    Counting takes no lock: two threads at once may let a line too many through.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        #: The second, of the wall clock, that is being counted.
        self.second = 0
        self._counts: dict[tuple[str, str, str, str], int] = {}
        self.renew()

    def renew(self) -> None:
        """Begin anew in a forked child: what was left out before is for the parent to tell."""
        # Re-entrant, because a signal handler may log while this very thread begins a second.
        self._lock = threading.RLock()
        self._counts = {}

    def admits(self, logger: str, level: str, event: str, error: str = "") -> bool:
        """Tell whether one more line of that kind may be written in this second, and count it."""
        counts = self._counts
        key = (logger, level, event if len(event) <= _KEY_LIMIT else event[:_KEY_LIMIT], error)
        count = counts.get(key)
        if count is None:
            if len(counts) < _MOST_KINDS:
                counts[key] = 1
            return True
        counts[key] = count + 1
        return count < self._limit

    def turn(self, second: int) -> list[tuple[Kind, int]]:
        """Begin another second; return each kind of which lines were left out, and how many."""
        with self._lock:
            # By now another thread may have done it.
            if self.second == second:
                return []
            self.second, counts, self._counts = second, self._counts, {}
        return [(Kind(*key), count - self._limit) for key, count in counts.items() if count > self._limit]
