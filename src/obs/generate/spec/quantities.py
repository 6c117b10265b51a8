"""Readers of durations, numbers and dates, with a hint for whoever wrote the unit in another way."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import Literal

from obs.generate.model import Duration
from obs.generate.spec.document import Node
from obs.generate.spec.plain import refuse, text

#: What people write in place of a unit: 5min, 5 m, 5M, 5, 0.5s.
_ALMOST_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([a-zA-Z]*)\Z")
_UNIT_NAMES = {
    "millisecond": "ms",
    "second": "s",
    "sec": "s",
    "minute": "m",
    "min": "m",
    "hour": "h",
    "hr": "h",
    "day": "d",
    "week": "w",
}
_NUMBER = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d{1,2})?\Z")


def duration(node: Node, what: str, *, zero: bool = False) -> Duration:
    """Return a duration such as ``30s``, ``5m``, ``1h30m``; `zero` allows ``0s``."""
    value = text(node, what)
    try:
        span = Duration.parse(value)
    except ValueError:
        raise refuse(
            node, f"{what}: got {value!r}, expected a duration such as 30s, 5m or 1h30m", _meant(value)
        ) from None
    if not span and not zero:
        raise refuse(node, f"{what}: got {value!r}, expected more than zero")
    if span > Duration.parse("1000d"):
        raise refuse(node, f"{what}: got {value!r}, expected at most 1000d")
    return span


def number(node: Node, what: str, unit: Literal["ratio", "percent"] = "ratio") -> Decimal:
    """Return a number, exactly as it is written; `unit` says what somebody who wrote ``5%`` should write."""
    value = text(node, what)
    if not _NUMBER.match(value):
        raise refuse(node, f"{what}: got {value!r}, expected a number", _bare(value, unit))
    return Decimal(value)


def integer(node: Node, what: str, low: int, high: int) -> int:
    """Return a whole number from `low` to `high`."""
    value = number(node, what)
    if value != value.to_integral_value() or not low <= value <= high:
        raise refuse(node, f"{what}: got {value}, expected a whole number from {low} to {high}")
    return int(value)


def date(node: Node, what: str) -> dt.date:
    """Return a day of the calendar, written as ``2026-12-31``."""
    value = text(node, what)
    try:
        return dt.datetime.strptime(value, "%Y-%m-%d").replace(tzinfo=dt.timezone.utc).date()
    except ValueError:
        raise refuse(node, f"{what}: got {value!r}, expected a date such as 2026-12-31") from None


def _meant(value: str) -> str | None:
    """Return a hint for what is almost a duration."""
    match = _ALMOST_DURATION.match(value)
    if match is None:
        return None
    amount, unit = match.groups()
    if not unit:
        return (
            f"which unit? such as {amount}s or {amount}m"
            if amount.isdigit()
            else "whole numbers only: 500ms is 0.5 s"
        )
    plain = unit.lower() if unit.lower() == "ms" else unit.lower().removesuffix("s") or unit.lower()
    suffix = _UNIT_NAMES.get(plain, plain)
    try:
        return f"did you mean {Duration.parse(amount + suffix)!s}?"
    except ValueError:
        return None


def _bare(value: str, unit: str) -> str | None:
    """Return a hint for a number that carries a unit: ``5%``, ``500ms``."""
    if value.endswith("%") and _NUMBER.match(value[:-1]):
        share = Decimal(value[:-1])
        return f"write {share if unit == 'percent' else share / 100:f}"
    try:
        return f"in seconds, {value} is {Duration.parse(value).seconds.normalize():f}"
    except ValueError:
        return None
