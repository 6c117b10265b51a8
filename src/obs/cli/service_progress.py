"""Show which service is being worked on, once the work takes longer than a person waits for."""

from __future__ import annotations

import sys
import time
from types import TracebackType

import click

#: Seconds: what is done sooner is not worth a line; a log wants one only now and then.
_WORTH_SHOWING = 1.0
_LIVE_EVERY = 0.1
_PLAIN_EVERY = 15.0


class ServiceProgress:
    """A line on standard error, live on a terminal and now and then in a log; gone when the work is done."""

    def __init__(self) -> None:
        self._is_live = sys.stderr.isatty()
        self._next = time.monotonic() + (_WORTH_SHOWING if self._is_live else _PLAIN_EVERY)
        self._shown = False

    def __enter__(self) -> ServiceProgress:  # noqa: PYI034 - typing.Self is younger than Python 3.10
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._shown and self._is_live:
            click.echo("\r\033[K", nl=False, err=True)

    def show(self, service: str, number: int, count: int) -> None:
        """Tell that `service` is next, the one after `number` of `count`."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + (_LIVE_EVERY if self._is_live else _PLAIN_EVERY)
        self._shown = True
        line = f"{number} of {count} services done, now {service}"
        click.echo(f"\r\033[K{line}" if self._is_live else line, nl=not self._is_live, err=True)
