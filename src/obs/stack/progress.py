"""How long-running work tells what it is doing; the command line and the demo decide how to show it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """One step of some work: what it is, for how long it has run and may (seconds), how far it got (bytes)."""

    step: str
    seconds: float = 0.0
    done: int | None = None
    total: int | None = None
    finished: bool = False
    within: float | None = None

    def __str__(self) -> str:
        parts = [self.step]
        if self.done is not None:
            of_total = f" of {self.total / 1e6:.1f}" if self.total else ""
            parts.append(f"{self.done / 1e6:.1f}{of_total} MB")
        if self.seconds >= 1:
            at_most = f" of at most {self.within:g} s" if self.within is not None else ""
            parts.append(f"{self.seconds:.0f} s{at_most}")
        return ", ".join(parts)


Report = Callable[[Progress], None]


class Step:
    """One step under way: reports itself with the time since it began."""

    def __init__(self, name: str, report: Report | None) -> None:
        self.name = name
        self._report = report
        self._began = time.monotonic()
        self.tell()

    @property
    def seconds(self) -> float:
        """Seconds since the step began."""
        return time.monotonic() - self._began

    def tell(
        self,
        detail: str = "",
        *,
        done: int | None = None,
        total: int | None = None,
        finished: bool = False,
        within: float | None = None,
    ) -> None:
        """Report where the step is; `done` and `total` are bytes, `within` the seconds after which it is given up."""
        if self._report is not None:
            name = f"{self.name}: {detail}" if detail else self.name
            self._report(Progress(name, self.seconds, done, total, finished, within))
