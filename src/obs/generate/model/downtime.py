"""Planned downtime: when a service may be away without anybody being told, and why."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from obs.generate.model.place import Place

MINUTES_OF_DAY = 24 * 60


@dataclass(frozen=True, slots=True)
class Downtime:
    """One window in UTC, on each of `days` or on each of `dates`; it never crosses midnight.

    Exactly one of `days` and `dates` is filled. Pages are muted in it (Alertmanager's time
    intervals), and its events count for no objective.
    """

    name: str
    #: Days of the week, in the order of `WEEKDAYS`, whose index is what PromQL's ``day_of_week()`` gives.
    days: tuple[str, ...]
    #: Days of the calendar, ascending.
    dates: tuple[dt.date, ...]
    #: Minutes after midnight; `end` is the first minute that is not part of it, at most 1440.
    start: int
    end: int
    #: Why, in words; stands in the routes and in the report of the objectives.
    reason: str
    place: Place

    @property
    def start_text(self) -> str:
        """The start as Alertmanager writes it: ``02:30``."""
        return clock(self.start)

    @property
    def end_text(self) -> str:
        """The end as Alertmanager writes it, ``24:00`` for the end of the day."""
        return clock(self.end)


def clock(minutes: int) -> str:
    """Write minutes after midnight as a time of day: 150 is ``02:30``."""
    return f"{minutes // 60:02}:{minutes % 60:02}"
