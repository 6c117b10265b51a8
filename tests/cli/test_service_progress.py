"""Progress of work on services: silent while it is quick, a live line on a terminal, a line now and then in a log."""

from __future__ import annotations

import sys

import pytest

from obs.cli.service_progress import ServiceProgress


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr("obs.cli.service_progress.time.monotonic", lambda: now[0])
    return now


def _work(clock: list[float], seconds: float, services: int) -> None:
    with ServiceProgress() as progress:
        for number in range(services):
            progress.show(f"s{number}", number, services)
            clock[0] += seconds


def test_quick_work_says_nothing(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    _work(clock, 0.1, 9)

    assert capsys.readouterr() == ("", "")


def test_a_log_gets_a_line_now_and_then(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    _work(clock, 1.0, 40)

    assert capsys.readouterr().err.splitlines() == [
        "15 of 40 services done, now s15",
        "30 of 40 services done, now s30",
    ]


def test_a_terminal_has_one_line_that_goes_at_the_end(
    clock: list[float], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    _work(clock, 1.0, 3)

    written = capsys.readouterr().err
    assert "\n" not in written
    assert written.endswith("2 of 3 services done, now s2\r\033[K")


def test_an_error_leaves_no_half_line(
    clock: list[float], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)

    def break_off() -> None:
        with ServiceProgress() as progress:
            clock[0] += 5
            progress.show("s0", 0, 2)
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        break_off()

    assert capsys.readouterr().err.endswith("\r\033[K")
