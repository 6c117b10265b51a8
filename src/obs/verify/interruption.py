"""Let Ctrl-C and SIGTERM end the work only where nothing can be left behind."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any, final

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@final
class Interruption:
    """Holds SIGINT, SIGTERM and SIGHUP back, and raises them inside `allowed` blocks only.

    An interrupt at any point is Python's rule, and no ``with`` is safe from it: a process that has
    just been started is lost before anybody has written down its id. Held back, starting and
    stopping are never cut in two; waiting, where all the time goes, happens inside `allowed`.

    SIGINT becomes `KeyboardInterrupt`, the others `SystemExit` with 128 plus the signal's number.
    For the main thread only.
    """

    def __init__(self) -> None:
        self._allowed = False
        self._held: int | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Interruption:
        for number in _SIGNALS:
            self._before[number] = signal.signal(number, self._arrive)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if error is None:
            self.check()

    def check(self) -> None:
        """Raise what was held back, if anything was."""
        held, self._held = self._held, None
        if held == signal.SIGINT:
            raise KeyboardInterrupt
        if held is not None:
            raise SystemExit(128 + held)

    @contextmanager
    def allowed(self) -> Iterator[None]:
        """Raise at once what was held back or comes while the block runs."""
        self._allowed = True
        try:
            self.check()
            yield
        finally:
            self._allowed = False

    def _arrive(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - signal's protocol
        self._held = number
        if self._allowed:
            # Once is enough: a second Ctrl-C must not hit the clean-up of the first.
            self._allowed = False
            self.check()
