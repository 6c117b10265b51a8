"""What `obs backtest` prints: a table, the same as data, and what must be known to read either."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timezone, tzinfo
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from obs.errors import ConfigError
from obs.verify.backtest.plan import widened

if TYPE_CHECKING:
    from obs.verify.backtest.firing import Firing
    from obs.verify.backtest.plan import Judged, Period
    from obs.verify.backtest.run import Backtest

_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)\Z")
_HEAD = ("alert", "severity", "fired", "total", "longest", "first", "last", "nights")
_RIGHT = frozenset({"fired", "total", "longest", "nights"})
#: Share of a period below which samples are missing for longer than a scrape or two.
_WHOLE = 0.98


@dataclass(frozen=True, slots=True)
class Night:
    """The hours in which people sleep, and the zone of every time that is printed."""

    start: time
    end: time
    zone: tzinfo

    @classmethod
    def of(cls, hours: str, zone: str) -> Night:
        """Read ``22:00-07:00`` and the name of a zone. Raises `ConfigError`."""
        match = _HOURS.match(hours)
        if match is None:
            raise ConfigError(f"--night: got {hours!r}, expected HH:MM-HH:MM, as 22:00-07:00")
        first, first_minute, last, last_minute = map(int, match.groups())
        try:
            # Not every system has a database of zones.
            place = timezone.utc if zone == "UTC" else ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ConfigError(f"--timezone: there is no zone {zone!r}", hint="as Europe/Berlin") from None
        return cls(time(first, first_minute), time(last, last_minute), place)

    def at(self, milliseconds: int) -> datetime:
        """Return an instant as the people there read it."""
        return datetime.fromtimestamp(milliseconds / 1000, self.zone)

    def holds(self, milliseconds: int) -> bool:
        """Tell whether people sleep at that instant."""
        now = self.at(milliseconds).time()
        if self.start <= self.end:
            return self.start <= now < self.end
        return now >= self.start or now < self.end

    def woken(self, judged: Judged) -> int:
        """Return how often a page of that alert would have begun at night."""
        if judged.watch.alert.severity != "page":
            return 0
        return sum(self.holds(firing.start) and not firing.came_in for firing in judged.firings)


def name(judged: Judged) -> str:
    """Return what people call an alert: its service, its name, and what it watches."""
    alert = judged.watch.alert
    subject = alert.slo or alert.job
    return f"{alert.service}/{alert.name}" + (f" ({subject})" if subject else "")


def table(found: Sequence[Judged], night: Night, *, show_all: bool) -> Iterator[str]:
    """Yield the lines of the table, the loudest alert first; quiet ones only when asked for."""
    shown = [one for one in found if one.firings or one.reason or _is_blind(one) or show_all]
    shown.sort(key=lambda one: (-len(one.firings), name(one)))
    rows = [_row(one, night) for one in shown]
    if not rows:
        return
    widths = [max(len(row[column]) for row in (_HEAD, *rows)) for column in range(len(_HEAD))]
    for row in (_HEAD, *rows):
        cells = (
            text.rjust(width) if head in _RIGHT else text.ljust(width)
            for head, text, width in zip(_HEAD, row, widths, strict=True)
        )
        yield "  ".join(cells).rstrip()


def notes(backtest: Backtest, found: Sequence[Judged], period: Period, night: Night) -> Iterator[str]:
    """Yield what the figures leave out, and what they amount to."""
    for skipped in backtest.skipped:
        yield f"{skipped.place}: {skipped.service} has no {skipped.alert}: {skipped.reason}"
    of: dict[str, list[str]] = {}
    for one in found:
        for text in _remarks(one, period, night):
            of.setdefault(text, []).append(name(one))
    for text, names in of.items():
        yield f"{', '.join(names)}: {text}"
    if backtest.on_logs:
        yield f"not judged: {_count(len(backtest.on_logs), 'alert')} on log lines, which Prometheus has not"
    fired = sum(bool(one.firings) for one in found)
    quiet = sum(not one.firings and not one.reason and not _is_blind(one) for one in found)
    blind = sum(not one.firings and not one.reason and _is_blind(one) for one in found)
    unjudged = sum(bool(one.reason) for one in found)
    times = sum(len(one.firings) for one in found)
    pages = sum(len(one.firings) for one in found if one.watch.alert.severity == "page")
    woken = sum(night.woken(one) for one in found)
    yield (
        f"{_count(len(found), 'alert')} from {_minute(period.begin, night)} to {_minute(period.until, night)}: "
        f"{fired} fired {_count(times, 'time')} ({_count(pages, 'page')}, {woken} at night), {quiet} quiet, "
        f"{blind} without data, {unjudged} not judged"
    )


def data(backtest: Backtest, found: Sequence[Judged], period: Period, night: Night) -> dict[str, object]:
    """Return everything for programs; times are in ISO 8601, durations in seconds."""
    return {
        "since": _exact(period.begin, night),
        "until": _exact(period.until, night),
        "alerts": [_datum(one, night) for one in found],
        "skipped": [
            {"service": one.service, "alert": one.alert, "reason": one.reason} for one in backtest.skipped
        ],
        "on_logs": [{"service": service, "alert": alert} for service, alert in backtest.on_logs],
    }


def _row(one: Judged, night: Night) -> tuple[str, ...]:
    severity = one.watch.alert.severity
    if one.reason:
        return (name(one), severity, "not judged", *[""] * 5)
    if not one.firings:
        return (name(one), severity, "no data" if _is_blind(one) else "0", *[""] * 5)
    durations = [firing.duration for firing in one.firings]
    woken = night.woken(one)
    return (
        name(one),
        severity,
        str(len(one.firings)),
        _span(sum(durations)),
        _span(max(durations)),
        _minute(one.firings[0].start, night),
        _minute(one.firings[-1].start, night),
        str(woken) if severity == "page" else "",
    )


def _remarks(one: Judged, period: Period, night: Night) -> Iterator[str]:
    if one.reason:
        yield f"not judged: {one.reason}"
    covered = one.coverage
    if covered is None:
        yield "whether there was data is not known"
    elif covered.blind:
        yield f"no sample of {', '.join(covered.unseen) or 'what it reads'} in the period: nothing is said of it"
    else:
        if covered.full_from is None:
            yield "the data begins so late that its look-back never was full"
        elif covered.full_from > period.begin:
            yield f"the data begins late: its look-back is full from {_minute(covered.full_from, night)} on"
        if covered.share < _WHOLE:
            yield f"samples in {covered.share:.0%} of the period only"
    if widened(one.watch):
        step, interval = _span(one.watch.grid.step), _span(one.watch.interval)
        yield f"looked at every {step} instead of every {interval}: what was shorter may be missed"
    if one.firings and one.firings[0].came_in:
        yield "was firing when the period began"
    if any(firing.goes_on for firing in one.firings):
        yield "was still firing when the period ended"


def _datum(one: Judged, night: Night) -> dict[str, object]:
    alert, covered = one.watch.alert, one.coverage
    full = covered.full_from if covered else None
    return {
        "service": alert.service,
        "alert": alert.name,
        "slo": alert.slo,
        "job": alert.job,
        "severity": alert.severity,
        "judged": not one.reason,
        "reason": one.reason or None,
        "fired": len(one.firings),
        "total_seconds": sum(firing.duration for firing in one.firings) / 1000,
        "longest_seconds": max((firing.duration for firing in one.firings), default=0) / 1000,
        "pages_at_night": night.woken(one),
        "interval_seconds": one.watch.interval / 1000,
        "step_seconds": one.watch.grid.step / 1000,
        "data": None
        if covered is None
        else {
            "seen": not covered.blind,
            "share": round(covered.share, 4),
            "full_from": None if full is None else _exact(full, night),
            "unseen_metrics": list(covered.unseen),
        },
        "firings": [_firing(firing, night) for firing in one.firings],
    }


def _firing(firing: Firing, night: Night) -> dict[str, object]:
    return {
        "labels": dict(firing.labels),
        "start": _exact(firing.start, night),
        "end": None if firing.goes_on else _exact(firing.end, night),
        "seconds": firing.duration / 1000,
        "began_before": firing.came_in,
    }


def _is_blind(one: Judged) -> bool:
    return one.coverage is not None and one.coverage.blind


def _minute(milliseconds: int, night: Night) -> str:
    return night.at(milliseconds).strftime("%Y-%m-%d %H:%M")


def _exact(milliseconds: int, night: Night) -> str:
    return night.at(milliseconds).isoformat(timespec="milliseconds")


def _span(milliseconds: int) -> str:
    """Return a span in its two largest units."""
    seconds = round(milliseconds / 1000)
    parts = []
    for unit, size in (("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)):
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts[:2]) or "0s"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
