"""When nobody is told: outside of working hours, and in planned downtime."""

from __future__ import annotations

import datetime as dt
from typing import Any

from tests.generate.alertmanager.configured import configuration, service, teams

from obs.generate.model import Downtime, Hours, Place, Routing
from obs.generate.render.alertmanager import render

_HOURS = Hours(("monday:friday",), "09:00", "17:00", "Europe/Berlin")


def test_tickets_wait_for_working_hours_and_pages_never_do() -> None:
    config = configuration(service(routing=Routing(hours=_HOURS)))
    page, ticket, none = teams(config)[0]["routes"]

    (name,) = ticket["active_time_intervals"]
    assert "active_time_intervals" not in page
    assert "active_time_intervals" not in none
    assert config["time_intervals"] == [
        {
            "name": name,
            "time_intervals": [
                {
                    "times": [{"start_time": "09:00", "end_time": "17:00"}],
                    "weekdays": ["monday:friday"],
                    "location": "Europe/Berlin",
                }
            ],
        }
    ]


def _downtime(name: str = "night", **changes: Any) -> Downtime:
    standard = {
        "name": name, "days": ("monday", "sunday"), "dates": (), "start": 120, "end": 1440, "reason": "backups",
        "place": Place("a.yml", 1, 1),
    }  # fmt: skip
    return Downtime(**{**standard, **changes})


def test_planned_downtime_mutes_pages_and_tickets_of_that_service_alone() -> None:
    config = configuration(service("a", downtimes=(_downtime(),)), service("b"))
    away, there = teams(config)[0]["routes"]

    assert (away["matchers"], there["matchers"]) == (['service="a"'], ['service="b"'])
    assert [route.get("mute_time_intervals") for route in away["routes"]] == [
        ["downtime-night"],
        ["downtime-night"],
        None,
    ]
    assert all("mute_time_intervals" not in route for route in there["routes"])


def test_a_downtime_is_written_in_days_of_the_week_or_of_the_calendar() -> None:
    dated = _downtime("move", days=(), dates=(dt.date(2026, 12, 24), dt.date(2027, 1, 2)))
    config = configuration(service(downtimes=(_downtime(), dated)))
    written = {one["name"]: one["time_intervals"] for one in config["time_intervals"]}
    times = [{"start_time": "02:00", "end_time": "24:00"}]

    assert written["downtime-night"] == [{"times": times, "weekdays": ["monday", "sunday"]}]
    assert written["downtime-move"] == [
        {"times": times, "years": ["2026"], "months": ["december"], "days_of_month": ["24"]},
        {"times": times, "years": ["2027"], "months": ["january"], "days_of_month": ["2"]},
    ]


def test_the_reason_of_a_downtime_stands_at_the_head_of_the_file() -> None:
    assert "\n# downtime-night: backups\n" in render([service(downtimes=(_downtime(),))])[0].text


def test_two_downtimes_of_one_name_keep_apart() -> None:
    first, second = service("a", downtimes=(_downtime(),)), service("b", downtimes=(_downtime(start=0),))
    config = configuration(first, second)

    assert [one["name"] for one in config["time_intervals"]] == ["downtime-b-night", "downtime-night"]
