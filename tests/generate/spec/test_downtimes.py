"""Planned downtime: what a window says, and what is refused."""

from __future__ import annotations

import datetime as dt

import pytest

from obs.errors import SpecError
from obs.generate.model import Downtime
from obs.generate.spec import document, downtimes


def _read(text: str) -> tuple[Downtime, ...]:
    return downtimes.read(document.parse(text, "spec.yml"))


def test_a_weekly_window_keeps_days_minutes_and_reason() -> None:
    (window,) = _read('backup: {days: [monday, sunday], from: "02:30", to: "24:00", reason: cold backup}')

    assert (window.name, window.days, window.dates) == ("backup", ("sunday", "monday"), ())
    assert (window.start, window.end) == (150, 1440)
    assert (window.start_text, window.end_text) == ("02:30", "24:00")
    assert window.reason == "cold backup"


def test_dates_are_sorted_and_counted_once() -> None:
    (window,) = _read(
        'move: {dates: [2026-12-03, 2026-12-01, 2026-12-03], from: "0:00", to: "06:00", reason: new racks}'
    )

    assert window.dates == (dt.date(2026, 12, 1), dt.date(2026, 12, 3))
    assert window.days == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            'a: {days: [mon], from: "01:00", to: "02:00", reason: x}',
            "spec.yml:1:12: downtime.a.days: got 'mon', expected a day such as monday\n  hint: did you mean 'monday'?",
        ),
        (
            'a: {days: [], from: "01:00", to: "02:00", reason: x}',
            "spec.yml:1:11: downtime.a.days: got an empty list, expected days such as monday",
        ),
        (
            'a: {days: [monday], from: "22:00", to: "02:00", reason: x}',
            (
                "spec.yml:1:40: downtime.a.to: 02:00 is not after 22:00\n"
                "  hint: a window across midnight is two: one until 24:00, one from 00:00 of the next day"
            ),
        ),
        (
            'a: {days: [monday], from: "24:30", to: "02:00", reason: x}',
            "spec.yml:1:27: downtime.a.from: got '24:30', expected a time of day in UTC such as 02:30",
        ),
        (
            'a: {days: [monday], from: 2am, to: "02:00", reason: x}',
            "spec.yml:1:27: downtime.a.from: got '2am', expected a time of day in UTC such as 02:30",
        ),
        (
            'a: {dates: [2026-02-30], from: "01:00", to: "02:00", reason: x}',
            "spec.yml:1:13: downtime.a.dates: got '2026-02-30', expected a date such as 2026-12-31",
        ),
        (
            'a: {from: "01:00", to: "02:00", reason: x}',
            "spec.yml:1:4: downtime.a needs exactly one of 'days' and 'dates'",
        ),
        (
            'a: {days: [monday], from: "01:00", to: "02:00", reason: true}',
            "spec.yml:1:57: downtime.a.reason needs the reason, in words",
        ),
        (
            'a: {days: [monday], from: "01:00", to: "02:00"}',
            "spec.yml:1:4: downtime.a needs 'reason'",
        ),
    ],
)
def test_a_window_that_cannot_be_is_refused(text: str, message: str) -> None:
    with pytest.raises(SpecError) as refusal:
        _read(text)

    assert message == str(refusal.value)
