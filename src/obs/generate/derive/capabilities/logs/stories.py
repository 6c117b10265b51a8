"""Stories of log lines: as many as it takes, and what an alert on their number does."""

from __future__ import annotations

from collections.abc import Mapping

from obs.generate.derive.capabilities.logs.drafts import LogKit
from obs.generate.model import Duration, LogBurst, LogCase, LogFact

MINUTE = Duration.parse("1m")
HALF_A_MINUTE = Duration.parse("30s")


def half(span: Duration) -> Duration:
    """Return half of `span`."""
    return Duration(span.milliseconds // 2)


def late(kit: LogKit) -> Duration:
    """Return a time at which a steady story has been true for as long as the alert waits."""
    return kit.settings.window * 2 + kit.settings.for_


def steady(kit: LogKit, fields: Mapping[str, str], per_window: int) -> LogBurst:
    """Return lines that come evenly until `late`, `per_window` of them in each window."""
    return kit.burst(Duration(0), late(kit), _in(late(kit), kit, per_window), fields)


def around(kit: LogKit, fields: Mapping[str, str]) -> tuple[LogCase, ...]:
    """Tell of lines just above and just below the threshold; at the edges of a window one more may stand."""
    line = int(kit.settings.threshold)
    return (
        LogCase(
            "just above the line",
            "fires",
            (steady(kit, fields, line + 2),),
            (LogFact(late(kit), "firing"),),
        ),
        LogCase(
            "just below the line",
            "silent",
            (steady(kit, fields, line - 1),),
            (LogFact(late(kit), "silent"),),
        ),
    )


def others(kit: LogKit, fields: Mapping[str, str], says: str) -> tuple[LogCase, ...]:
    """Tell of many lines that are not meant."""
    many = int(kit.settings.threshold) * 10 + 10
    return (LogCase(says, "silent", (steady(kit, fields, many),), (LogFact(late(kit), "silent"),)),)


def neighbours(kit: LogKit, fields: Mapping[str, str]) -> tuple[LogCase, ...]:
    """Tell of lines that would be meant, were they not those of another service."""
    many = int(kit.settings.threshold) * 10 + 10
    lines = kit.burst(
        Duration(0), late(kit), _in(late(kit), kit, many), fields, service=f"not-{kit.service.name}"
    )
    return (LogCase("another service's lines", "silent", (lines,), (LogFact(late(kit), "silent"),)),)


def waiting(kit: LogKit, fields: Mapping[str, str]) -> tuple[LogCase, ...]:
    """Tell of trouble that begins, lasts longer than the alert waits, and ends; nothing where it does not wait."""
    window, for_ = kit.settings.window, kit.settings.for_
    if not for_:
        return ()
    whole = window + for_ * 2
    twice = (int(kit.settings.threshold) + 1) * 2
    return (
        LogCase(
            "begins and ends",
            "for",
            (kit.burst(Duration(0), whole, _in(whole, kit, twice), fields),),
            (
                # Twice as many as it takes: the line is crossed in the middle of the first window.
                LogFact(half(window) + half(for_), "pending"),
                LogFact(window + for_ + HALF_A_MINUTE, "firing"),
                LogFact(whole + window + MINUTE, "silent"),
            ),
        ),
    )


def _in(span: Duration, kit: LogKit, per_window: int) -> int:
    return per_window * span.milliseconds // kit.settings.window.milliseconds
