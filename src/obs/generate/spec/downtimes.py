"""`downtime:` of a spec: weekly or dated windows in UTC, each with its reason."""

from __future__ import annotations

import datetime as dt

from obs.errors import suggest
from obs.generate.model import WEEKDAYS, Downtime
from obs.generate.model.downtime import MINUTES_OF_DAY, clock
from obs.generate.spec import fields
from obs.generate.spec.document import Entry, Node
from obs.generate.spec.shape.alerts import CLOCK, DOWNTIME, MOST_DATES


def read(node: Node) -> tuple[Downtime, ...]:
    """Read every window, ordered by name."""
    return tuple(_window(key, entry) for key, entry in sorted(fields.mapping(node, "downtime").items()))


def _window(key: str, entry: Entry) -> Downtime:
    what = f"downtime.{key}"
    name = fields.key_name(key, entry, what)
    own = fields.mapping(entry.node, what, DOWNTIME.names)
    if ("days" in own) == ("dates" in own):
        raise fields.refuse(entry.node, f"{what} needs exactly one of 'days' and 'dates'")
    start = _clock(fields.required(own, "from", entry.node, what), f"{what}.from")
    end_node = fields.required(own, "to", entry.node, what)
    end = _clock(end_node, f"{what}.to")
    if end <= start:
        raise fields.refuse(
            end_node,
            f"{what}.to: {clock(end)} is not after {clock(start)}",
            "a window across midnight is two: one until 24:00, one from 00:00 of the next day",
        )
    return Downtime(
        name=name,
        days=_days(own["days"].node, f"{what}.days") if "days" in own else (),
        dates=_dates(own["dates"].node, f"{what}.dates") if "dates" in own else (),
        start=start,
        end=end,
        reason=fields.reason(fields.required(own, "reason", entry.node, what), f"{what}.reason"),
        place=entry.key,
    )


def _clock(node: Node, what: str) -> int:
    written = fields.text(node, what)
    match = CLOCK.match(written)
    minutes = int(match[1]) * 60 + int(match[2]) if match else MINUTES_OF_DAY + 1
    if minutes > MINUTES_OF_DAY:
        raise fields.refuse(node, f"{what}: got {written!r}, expected a time of day in UTC such as 02:30")
    return minutes


def _days(node: Node, what: str) -> tuple[str, ...]:
    chosen = {_day(item, what) for item in fields.texts(node, what)}
    if not chosen:
        raise fields.refuse(node, f"{what}: got an empty list, expected days such as monday")
    return tuple(day for day in WEEKDAYS if day in chosen)


def _day(item: Node, what: str) -> str:
    written = fields.text(item, what)
    if written not in WEEKDAYS:
        short = [day for day in WEEKDAYS if day[:3] == written.lower()[:3]]
        hint = f"did you mean {short[0]!r}?" if short else suggest(written, WEEKDAYS)
        raise fields.refuse(item, f"{what}: got {written!r}, expected a day such as monday", hint)
    return written


def _dates(node: Node, what: str) -> tuple[dt.date, ...]:
    items = fields.texts(node, what)
    if not 1 <= len(items) <= MOST_DATES:
        raise fields.refuse(node, f"{what}: got {len(items)} dates, expected 1 to {MOST_DATES}")
    return tuple(sorted({fields.date(item, what) for item in items}))
