"""Planned downtime as arithmetic on the clock: 1 while events count, 0 while they do not."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from obs.generate.model import Downtime
from obs.generate.model.downtime import MINUTES_OF_DAY
from obs.generate.model.routing import WEEKDAYS

#: The events of a minute are known at its end, so the first minute after a window still belongs to it.
_LAST = 1


def counted(downtimes: Sequence[Downtime]) -> str:
    """Return an expression that is 1 outside all windows and 0 inside any; times are UTC."""
    return f"({' + '.join(_inside(window) for window in downtimes)}) == bool 0"


def _inside(window: Downtime) -> str:
    return _weekly(window) if window.days else _dated(window)


def _weekly(window: Downtime) -> str:
    days = " + ".join(f"(day_of_week() == bool {WEEKDAYS.index(day)})" for day in window.days)
    minute = "(hour() * 60 + minute())"
    end = window.end if window.end == MINUTES_OF_DAY else window.end + _LAST
    until = "" if end >= MINUTES_OF_DAY else f" * ({minute} < bool {end})"
    return f"({days}) * ({minute} >= bool {window.start}){until}"


def _dated(window: Downtime) -> str:
    spans = []
    for date in window.dates:
        midnight = int(dt.datetime.combine(date, dt.time(), dt.timezone.utc).timestamp())
        start, end = midnight + window.start * 60, midnight + (window.end + _LAST) * 60
        spans.append(f"(vector(time()) >= bool {start}) * (vector(time()) < bool {end})")
    return f"({' + '.join(spans)})"
