"""What `obs demo` shows: plain lines without a terminal, and a picture whose every state can be drawn."""

from __future__ import annotations

import io
import json
import re
import time

import pytest
from rich.console import Console

from obs.cli import demo
from obs.cli.demo_view import MEANING, View
from obs.stack.progress import Progress
from obs.verify.drill import STEPS, Drill, Missed, Timeline
from obs.verify.load import Call, Load
from obs.verify.prometheus import ActiveAlert
from obs.verify.webhook import Webhook


def timeline(*seen: str, missed: Missed | None = None) -> Timeline:
    steps = {step: float(number) for number, step in enumerate(seen)}
    return Timeline("HttpErrorRatioHigh", {"service": "payments"}, 1793872800.1234, steps, missed=missed)


def picture(of: Timeline, *alerts: ActiveAlert, width: int = 80, height: int = 24, seconds: int = 0) -> str:
    """Draw what a terminal would show right after the fault, `seconds` after the start of the load."""
    view = View()
    view._history.extend([0.1] * seconds)
    of.fault_at = time.time()
    drill = Drill(
        prometheus="http://127.0.0.1:1",
        alertmanager="http://127.0.0.1:1",
        webhook=Webhook(),
        alert=of.alert,
        labels=of.labels,
    )
    drill.timeline, drill.alerts = of, list(alerts)
    load = Load([Call("GET", "http://127.0.0.1:1")], rate=1, duration=1)
    console = Console(file=io.StringIO(), width=width, height=height, record=True)
    view._console = console
    with view.watching(load, drill, {"storefront": "http://127.0.0.1:8711/docs"}):
        console.print(view._picture())
    return console.export_text()


def test_every_step_has_a_meaning() -> None:
    assert tuple(MEANING) == STEPS


def test_seen_steps_have_their_second_and_the_next_one_is_waited_for() -> None:
    lines = picture(timeline("fault", "pending")).splitlines()
    assert any(re.match(r"✓  pending +1\.0 s", line) for line in lines)
    assert any(re.match(r"\S  firing +\d+\.\d s  the errors", line) for line in lines)
    assert any(line.startswith("·  notified") for line in lines)


def test_a_missed_step_shows_what_was_seen_instead() -> None:
    missed = Missed("firing", 60.0, "it is still pending")
    assert "✗  firing    missed   it is still pending" in picture(timeline("fault", "pending", missed=missed))


def test_alerts_are_listed_without_the_heartbeat() -> None:
    alerts = [
        ActiveAlert("HttpErrorRatioHigh", {"service": "payments", "severity": "page"}, "firing", 0.0),
        ActiveAlert("Watchdog", {"severity": "none"}, "firing", 0.0),
    ]
    shown = picture(timeline("fault"), *alerts)
    assert "firing   HttpErrorRatioHigh  payments" in shown
    assert "Watchdog" not in shown


def test_no_line_of_the_picture_is_wider_than_the_terminal() -> None:
    shown = picture(timeline(*STEPS), width=50)
    assert max(map(len, shown.splitlines())) <= 50
    assert all(f"✓  {step}" in shown for step in STEPS)


def test_on_the_usual_terminal_every_meaning_is_whole() -> None:
    shown = picture(timeline(*STEPS))
    assert all(meaning in shown for meaning in MEANING.values())


@pytest.mark.parametrize(("width", "height"), [(60, 20), (80, 24), (200, 50)])
def test_the_whole_picture_fits_after_minutes_of_errors(width: int, height: int) -> None:
    alerts = [ActiveAlert(f"Alert{number}", {"service": "payments"}, "firing", 0.0) for number in range(4)]
    shown = picture(timeline(*STEPS), *alerts, width=width, height=height, seconds=300)
    lines = shown.splitlines()
    assert len(lines) < height
    assert "Ctrl-C stops everything and cleans up" in lines[-1]
    (bars,) = [line for line in lines if line.startswith("errors")]
    assert bars.endswith("per second")


def test_without_a_terminal_only_ends_and_long_waits_get_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    view = View()
    for seconds in (0.5, 2.9, 3.0, 4.0, 12.9, 13.0):
        view.report(Progress("building", seconds))
    view.report(Progress("building", 14.0, finished=True))
    view.report(Progress("starting", 0.0))
    view.report(Progress("starting", 0.2, finished=True))
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.splitlines() == ["building, 3 s", "building, 13 s", "building, 14 s", "starting"]


def test_the_timeline_as_text_says_when_and_how_long(capsys: pytest.CaptureFixture[str]) -> None:
    demo._print(timeline(*STEPS), "text")
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "  fault        0.0  2026-11-05T10:00:00.123Z"
    assert lines[-1] == "from fault to notification: 3.0 s"


def test_the_timeline_of_a_missed_step_says_so_in_both_forms(capsys: pytest.CaptureFixture[str]) -> None:
    broken = timeline("fault", missed=Missed("pending", 60.0, "active alerts: none"))
    demo._print(broken, "text")
    assert "pending   missed: not within 60 s; seen instead: active alerts: none" in capsys.readouterr().out
    demo._print(broken, "json")
    data = json.loads(capsys.readouterr().out)
    assert data["complete"] is False
    assert data["missed"] == {"step": "pending", "within": 60.0, "seen": "active alerts: none"}
    assert data["fault_to_notification"] is None
