"""Working hours and planned downtimes as Alertmanager's time intervals."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from obs.generate.model import Downtime, Hours, Service
from obs.generate.render.yaml_writer import Yaml

_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
    "november", "december",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Intervals:
    """Every interval that routes refer to, under a name of its own."""

    _hours: Mapping[Hours, str]
    #: Services that share a downtime share its interval.
    _downtimes: Mapping[Downtime, str]

    @classmethod
    def of(cls, services: Sequence[Service]) -> Intervals:
        """Name the intervals of `services`, which are ordered by name."""
        hours = {
            s.routing.hours: _hours_name(s.routing.hours) for s in services if s.routing.hours is not None
        }
        downtimes: dict[Downtime, str] = {}
        for service in services:
            for downtime in service.downtimes:
                name = f"downtime-{downtime.name}"
                if name in downtimes.values() and downtime not in downtimes:
                    name = f"downtime-{service.name}-{downtime.name}"
                downtimes.setdefault(downtime, name)
        return cls(hours, downtimes)

    def hours(self, service: Service) -> str:
        """Name the interval in which tickets of `service` are sent; "" for at any time."""
        return self._hours[service.routing.hours] if service.routing.hours is not None else ""

    def muted(self, service: Service) -> tuple[str, ...]:
        """Name the intervals in which `service` is away as planned."""
        return tuple(sorted(self._downtimes[downtime] for downtime in service.downtimes))

    def reasons(self) -> list[str]:
        """Return a line for each downtime: its name and why it is."""
        return sorted(f"{name}: {downtime.reason}" for downtime, name in self._downtimes.items())

    def rendered(self) -> list[Yaml]:
        """Return ``time_intervals``, ordered by name."""
        found: dict[str, list[Yaml]] = {name: [_working(hours)] for hours, name in self._hours.items()}
        found |= {name: list(_away(downtime)) for downtime, name in self._downtimes.items()}
        return [{"name": name, "time_intervals": found[name]} for name in sorted(found)]


def _hours_name(hours: Hours) -> str:
    parts = ("hours", *hours.days, hours.start, hours.end, hours.zone)
    return re.sub(r"[^A-Za-z0-9]+", "-", "-".join(parts)).lower()


def _working(hours: Hours) -> Yaml:
    times: Yaml = [{"start_time": hours.start, "end_time": hours.end}]
    return {"times": times, "weekdays": list(hours.days), "location": hours.zone}


def _away(downtime: Downtime) -> Iterator[Yaml]:
    times: Yaml = [{"start_time": downtime.start_text, "end_time": downtime.end_text}]
    if downtime.days:
        yield {"times": times, "weekdays": list(downtime.days)}
    for date in downtime.dates:
        yield {
            "times": times,
            "years": [str(date.year)],
            "months": [_MONTHS[date.month - 1]],
            "days_of_month": [str(date.day)],
        }
