"""When the stories of a service with planned downtime begin: promtool's clock starts on Thursday, 1 January 1970."""

from __future__ import annotations

import datetime as dt

from obs.errors import SpecError
from obs.generate.derive.drafts import Kit
from obs.generate.model import Downtime, Duration
from obs.generate.model.routing import WEEKDAYS

#: Stories told with events are over by then.
_LONGEST = 24
_HORIZON_DAYS = 8
_MINUTE = 60_000
_DAY = 24 * 60 * _MINUTE
_EPOCH = dt.date(1970, 1, 1)


def quiet_steps(kit: Kit) -> int:
    """Return the first step after which no downtime comes for as long as a short story lasts.

    Raises `SpecError` when there is none in a week: then nothing ever counts.
    """
    step = kit.step.milliseconds
    # Rules that look at the past are told their stories up to a step later.
    long = (_LONGEST + bool(kit.service.query_offset)) * step
    begin = 0
    for start, end in sorted(span for window in kit.service.downtimes for span in _spans(window)):
        if begin + long > start and end > begin:
            begin = -(-end // step) * step
    if begin > (_HORIZON_DAYS - 1) * _DAY:
        window = kit.service.downtimes[0]
        raise SpecError(
            f"downtime: the windows leave no {Duration(long).words} of a week in which an objective counts",
            str(window.place),
        )
    return begin // step


def _spans(window: Downtime) -> list[tuple[int, int]]:
    """Return the milliseconds since the epoch that a window covers in the first days, and a minute around them."""
    found = []
    for number in range(_HORIZON_DAYS):
        date = _EPOCH + dt.timedelta(days=number)
        weekday = WEEKDAYS[date.isoweekday() % 7]
        if weekday in window.days or date in window.dates:
            midnight = number * _DAY
            found.append((midnight + (window.start - 1) * _MINUTE, midnight + (window.end + 2) * _MINUTE))
    return found
