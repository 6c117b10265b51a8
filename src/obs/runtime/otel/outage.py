"""What is said about a collector that cannot be reached: one line when it begins, one when it ends."""

from __future__ import annotations

import time
from typing import Protocol

from obs.runtime import guard


class Notify(Protocol):
    """Writes a line about obs itself."""

    def __call__(self, level: str, message: str, /, **fields: object) -> None:
        """Write `message` at `level`."""


#: Hosts and ports that do not answer at the moment.
_down: set[str] = set()


def is_down(url: str) -> bool:
    """Return whether deliveries of some kind to the host of `url` fail now, and that has been told."""
    return _host(url) in _down


def _host(url: str) -> str:
    # Not by urlsplit: what stands for a password in text for people need not be a URL's.
    return url.partition("//")[2].partition("/")[0].rpartition("@")[2]


class Outage:
    """Whether deliveries of one kind fail now, since when, and what that has cost."""

    def __init__(self, what: str, target: str, notify: Notify) -> None:
        self._what, self._target, self._notify = what, target, notify
        self._since = 0.0
        self._dropped = 0
        self._refused_some = False
        self._host = _host(target)
        _down.discard(self._host)
        self.on = False

    def begin(self, reason: str, since: float) -> None:
        """Say that deliveries fail, unless that is known; `since` is when they began to (monotonic)."""
        if self.on:
            return
        self.on, self._since = True, since
        _down.add(self._host)
        self._say(
            "warning",
            f"{self._what} cannot be delivered to {self._target}: {reason}; "
            "what finds no room in memory is dropped and counted",
            event="export.outage",
            reason=reason,
        )

    def end(self) -> None:
        """Say that deliveries succeed again, if they did not."""
        if not self.on:
            return
        seconds, dropped = time.monotonic() - self._since, self._dropped
        self.on, self._dropped = False, 0
        _down.discard(self._host)
        self._say(
            "info",
            f"{self._what} are delivered to {self._target} again, after {seconds:.1f} s; {dropped} were dropped",
            event="export.recovered",
            duration=round(seconds, 3),
            dropped=dropped,
        )

    def abandon(self, amount: int, reason: str) -> None:
        """Say at shutdown what is left behind, unless the outage itself has been said."""
        if not self.on:
            self._say(
                "warning",
                f"{amount} {self._what} could not be delivered to {self._target} before shutdown: {reason}",
                event="export.abandoned",
                dropped=amount,
                reason=reason,
            )

    def cost(self, amount: int) -> None:
        """Note what was dropped meanwhile."""
        if self.on:
            self._dropped += amount

    def refused(self, amount: int, of: int) -> None:
        """Say once that the collector takes deliveries and refuses a part of one."""
        if not self._refused_some:
            self._refused_some = True
            self._say(
                "warning",
                f"{self._target} refused {amount} of {of} {self._what}; further ones are only counted",
                event="export.refused",
            )

    def _say(self, level: str, message: str, **fields: object) -> None:
        with guard.contained("traces"):
            self._notify(level, message, **fields)
