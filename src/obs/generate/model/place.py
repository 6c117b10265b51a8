"""Where something was written, and how long something takes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a person wrote something; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


DURATION = re.compile(r"(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+)s)?(?:(\d+)ms)?\Z")
_UNITS = (("w", 604_800_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1))
_WORDS = {"d": "day", "h": "hour", "m": "minute", "s": "second", "ms": "millisecond"}


@dataclass(frozen=True, slots=True, order=True)
class Duration:
    """A span of time in whole milliseconds, written as Prometheus writes it: ``1h30m``, ``500ms``."""

    milliseconds: int

    @classmethod
    def parse(cls, text: str) -> Duration:
        """Read ``30s``, ``1h30m``, ``500ms``; raise `ValueError` for anything else and for zero parts only.

        ``0s`` is legal: a `for` of nothing.
        """
        match = DURATION.match(text)
        if not match or not any(part is not None for part in match.groups()):
            raise ValueError(text)
        return cls(
            sum(int(part) * unit for part, (_, unit) in zip(match.groups(), _UNITS, strict=True) if part)
        )

    @property
    def seconds(self) -> Decimal:
        """The span in seconds, exact."""
        return Decimal(self.milliseconds) / 1000

    def __str__(self) -> str:
        # Weeks are left out: 7d reads as what it is in a look-back.
        rest, text = self.milliseconds, ""
        for suffix, unit in _UNITS[1:]:
            count, rest = divmod(rest, unit)
            text += f"{count}{suffix}" if count else ""
        return text or "0s"

    @property
    def words(self) -> str:
        """The span as people say it: ``1 hour 30 minutes``."""
        rest, parts = self.milliseconds, []
        for suffix, unit in _UNITS[1:]:
            count, rest = divmod(rest, unit)
            if count:
                parts.append(f"{count} {_WORDS[suffix]}{'' if count == 1 else 's'}")
        return " ".join(parts) or "0 seconds"

    def __bool__(self) -> bool:
        return self.milliseconds > 0

    def __add__(self, other: Duration) -> Duration:
        return Duration(self.milliseconds + other.milliseconds)

    def __mul__(self, times: int) -> Duration:
        return Duration(self.milliseconds * times)
