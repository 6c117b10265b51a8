"""When the stories of a service with planned downtime begin: promtool's clock starts on Thursday, 1 January 1970."""

from __future__ import annotations

import datetime as dt

from obs.errors import SpecError
from obs.generate.derive.drafts import Kit
from obs.generate.model import Downtime
from obs.generate.model.routing import WEEKDAYS

#: Stories told with events are over by then.
_LONGEST = 24
_HORIZON_DAYS = 8
_EPOCH = dt.date(1970, 1, 1)


def quiet_steps(kit: Kit) -> int:
    """Return the first step after which no downtime comes for as long as a short story lasts.

    Raises `SpecError` when there is none in a week: then nothing ever counts.
    """
    step = kit.step.milliseconds // 60_000
    spans = sorted(span for window in kit.service.downtimes for span in _spans(window))
    begin = 0
    for start, end in spans:
        if begin + _LONGEST * step > start and end > begin:
            begin = -(-end // step) * step
    if begin > (_HORIZON_DAYS - 1) * 24 * 60:
        window = kit.service.downtimes[0]
        raise SpecError(
            f"downtime: the windows leave no {_LONGEST * step // 60} hours of a week in which an objective counts",
            str(window.place),
        )
    return begin // step


def _spans(window: Downtime) -> list[tuple[int, int]]:
    """Return the minutes since the epoch that a weekly window covers in the first days."""
    found = []
    for number in range(_HORIZON_DAYS):
        date = _EPOCH + dt.timedelta(days=number)
        weekday = WEEKDAYS[date.isoweekday() % 7]
        if weekday in window.days or date in window.dates:
            found.append((number * 1440 + window.start - 1, number * 1440 + window.end + 2))
    return found
