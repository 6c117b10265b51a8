"""Fills the few template forms that our annotations use, exactly as Prometheus does.

promtool compares annotations literally, so a test must know what a notification will read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from urllib.parse import quote_plus

_ACTION = re.compile(r"\{\{ (\$value|\$labels\.(\w+))(?: \| (\w+))? \}\}")


def fill(text: str, labels: Mapping[str, str], value: float) -> str:
    """Return `text` with every action replaced; an unknown action stays and fails promtool."""

    def replace(match: re.Match[str]) -> str:
        _, label, function = match.groups()
        if label is not None:
            plain = labels.get(label, "")
            return quote_plus(plain) if function == "urlquery" else plain
        return _VALUES[function](value) if function in _VALUES else match.group(0)

    return _ACTION.sub(replace, text)


def _percentage(value: float) -> str:
    return f"{value * 100:.4g}%"


def _number(value: float) -> str:
    if value == 0 or abs(value) >= 1:
        prefix = ""
        for prefix in ("", "k", "M", "G", "T"):  # noqa: B007 - the last prefix is used
            if abs(value) < 1000:
                break
            value /= 1000
        return f"{value:.4g}{prefix}"
    prefix = ""
    for prefix in ("m", "u", "n"):  # noqa: B007
        value *= 1000
        if abs(value) >= 1:
            break
    return f"{value:.4g}{prefix}"


def _duration(value: float) -> str:
    if value == 0:
        return "0s"
    if abs(value) < 1:
        return f"{_number(value)}s"
    sign, value = ("-", -value) if value < 0 else ("", value)
    whole = int(value)
    seconds, minutes, hours, days = whole % 60, whole // 60 % 60, whole // 3600 % 24, whole // 86_400
    if days:
        return f"{sign}{days}d {hours}h {minutes}m {seconds}s"
    if hours:
        return f"{sign}{hours}h {minutes}m {seconds}s"
    if minutes:
        return f"{sign}{minutes}m {seconds}s"
    return f"{sign}{value:.4g}s"


_VALUES: dict[str, Callable[[float], str]] = {
    "humanizePercentage": _percentage,
    "humanize": _number,
    "humanizeDuration": _duration,
}
