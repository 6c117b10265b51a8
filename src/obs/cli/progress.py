"""Show progress on standard error: a live line on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.status import Status

    from obs.stack.progress import Progress

#: Seconds: what is done sooner is not worth a line, and a log does not want one every second.
_WORTH_SHOWING = 1.0
_PLAIN_EVERY = 15.0


class ProgressLine:
    """A `Report` for the command line; used as a context, so that the terminal is left clean."""

    def __init__(self) -> None:
        self._status: Status | None = None
        self._next_plain = _WORTH_SHOWING
        self._step_seconds = 0.0

    def __enter__(self) -> ProgressLine:  # noqa: PYI034 - typing.Self is younger than Python 3.10
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def __call__(self, progress: Progress) -> None:
        """Show where the work is."""
        if progress.seconds < self._step_seconds:
            # The time went back: another step has begun.
            self._next_plain = _WORTH_SHOWING
        self._step_seconds = progress.seconds
        if progress.finished:
            self._close()
            if progress.seconds >= _WORTH_SHOWING:
                click.echo(f"done: {progress}", err=True)
        elif progress.seconds >= _WORTH_SHOWING and sys.stderr.isatty():
            self._show_live(str(progress))
        elif progress.seconds >= self._next_plain:
            click.echo(f"{progress} …", err=True)
            self._next_plain = progress.seconds + _PLAIN_EVERY

    def _show_live(self, text: str) -> None:
        from rich.console import Console
        from rich.markup import escape

        if self._status is None:
            self._status = Console(stderr=True).status(escape(text))
            self._status.start()
        else:
            self._status.update(escape(text))

    def _close(self) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None
