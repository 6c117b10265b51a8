"""The sign of life of a job: at once, every so many seconds, and no longer than it runs."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable

import pytest

import obs
from obs.errors import ConfigError
from obs.runtime.heartbeat import Pulse, pulse


class Counted:
    """Counts its beats."""

    def __init__(self, failing: bool = False) -> None:
        self.beats = 0
        self.failing = failing

    def beat(self) -> None:
        self.beats += 1
        if self.failing and self.beats > 1:
            raise ValueError("kaputt")


def eventually(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "obs-heartbeat"]


@pytest.mark.parametrize("fails", [False, True])
def test_a_job_beats_no_more_once_it_has_ended(fails: bool) -> None:
    obs.init("worker")
    with contextlib.suppress(ValueError), obs.job("settle", heartbeat=3600):
        assert threads()
        if fails:
            raise ValueError
    eventually(lambda: not threads())


def test_each_run_beats_at_once_and_again_until_it_is_stopped() -> None:
    often, rarely = Counted(), Counted()
    one = Pulse()
    one.start(rarely, 3600)
    one.start(often, 0.01)
    eventually(lambda: often.beats >= 4)
    assert rarely.beats == 1
    one.stop(often)
    one.stop(rarely)
    eventually(lambda: threads() == [])
    after = often.beats
    time.sleep(0.05)
    assert often.beats == after


def test_one_thread_serves_all_and_ends_with_the_last() -> None:
    runs = [Counted() for _ in range(5)]
    one = Pulse()
    for run in runs:
        one.start(run, 0.01)
    eventually(lambda: all(run.beats > 2 for run in runs))
    assert len(threads()) == 1
    for run in runs:
        one.stop(run)
    eventually(lambda: threads() == [])
    one.start(runs[0], 0.01)
    eventually(lambda: runs[0].beats > 5)
    one.stop(runs[0])
    eventually(lambda: threads() == [])


def test_a_signal_handler_may_run_a_job_while_its_thread_begins_one() -> None:
    lived = Pulse()

    def interrupted() -> None:
        # Where a handler would find the thread that it interrupts.
        with lived._lock:
            run = Counted()
            lived.start(run, 3600)
            lived.stop(run)

    thread = threading.Thread(target=interrupted, daemon=True)
    thread.start()
    thread.join(10)
    assert not thread.is_alive()
    eventually(lambda: threads() == [])


def test_a_beat_that_fails_stops_no_other() -> None:
    broken, sound = Counted(failing=True), Counted()
    one = Pulse()
    one.start(broken, 0.01)
    one.start(sound, 0.01)
    eventually(lambda: sound.beats > 5)
    one.stop(broken)
    one.stop(sound)
    eventually(lambda: threads() == [])


def test_the_thread_has_ended_before_a_fork_and_goes_on_after_it() -> None:
    run, one = Counted(), Pulse()
    one.start(run, 0.01)
    one.before_fork()
    assert threads() == []
    before = run.beats
    one.after_fork_in_parent()
    eventually(lambda: run.beats > before + 1)
    one.stop(run)
    eventually(lambda: threads() == [])


@pytest.mark.filterwarnings("error")
def test_a_fork_meets_no_thread_and_the_child_beats_for_nobody() -> None:
    obs.init("worker")
    with obs.job("settle", heartbeat=0.01):
        eventually(lambda: len(threads()) == 1)
        child = os.fork()
        if child == 0:
            os._exit(len(threads()) + len(pulse._runs))
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        eventually(lambda: len(threads()) == 1)
    eventually(lambda: threads() == [])


@pytest.mark.parametrize("heartbeat", [0, -1, float("nan"), float("inf"), "30", True])
def test_a_heartbeat_that_is_no_time_is_refused(heartbeat: float) -> None:
    with pytest.raises(ConfigError, match="a number of seconds above 0"):
        obs.job("settle", heartbeat=heartbeat)
