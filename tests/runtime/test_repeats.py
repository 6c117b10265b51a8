"""Lines that repeat: so many a second of one kind, then one line with the count of the rest."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import obs
from obs.runtime import clock, logger, repeats, tally
from obs.runtime.repeats import Repeats

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture(autouse=True)
def move() -> Iterator[Callable[[float], None]]:
    """Stop the clock that lines are stamped with; return what moves it."""
    now = [1_000_000.5]

    def move(seconds: float) -> None:
        now[0] += seconds

    clock.replace(lambda: now[0], time.perf_counter)
    yield move
    clock.restore()


def test_what_repeats_is_written_so_often_and_then_counted(
    lines: Lines, move: Callable[[float], None]
) -> None:
    obs.init("shop", log_repeat_limit=3)
    for number in range(10):
        obs.log.warning("again", number=number)
    assert [line["number"] for line in lines()] == [0, 1, 2]
    move(1)
    obs.log.info("other")
    summary, other = lines()
    assert (summary["message"], summary["level"], summary["repeated"]) == ("again", "warning", 7)
    assert "number" not in summary
    assert other["message"] == "other"
    assert tally.count("logs_dropped", "repeated") == 7


def test_a_signal_handler_may_log_while_its_thread_begins_a_second(lines: Lines) -> None:
    obs.init("shop")
    pipeline = logger.pipeline()
    assert pipeline is not None
    assert pipeline._repeats is not None
    inside = pipeline._repeats._lock

    def interrupted() -> None:
        # Where a handler would find the thread that it interrupts.
        with inside:
            obs.log.info("from the handler")

    thread = threading.Thread(target=interrupted, daemon=True)
    thread.start()
    thread.join(10)
    if thread.is_alive():
        # Not even the end of this test would come.
        inside.release()
        pytest.fail("it waits for itself")
    assert [line["message"] for line in lines()] == ["from the handler"]


def test_every_second_begins_anew(lines: Lines, move: Callable[[float], None]) -> None:
    obs.init("shop", log_repeat_limit=2)
    for _ in range(3):
        for _ in range(5):
            obs.log.info("again")
        move(1)
    assert [line.get("repeated") for line in lines()] == [None, None, 3, None, None, 3, None, None]


@pytest.mark.parametrize("end", [obs.flush, obs.shutdown])
def test_the_count_is_told_at_the_end_when_nothing_follows(end: Callable[[], bool], lines: Lines) -> None:
    obs.init("shop", log_repeat_limit=1)
    for _ in range(4):
        obs.get_logger("lib").error("again")
    end()
    (_, summary) = lines()
    assert (summary["repeated"], summary["logger"]) == (3, "lib")


def test_another_level_logger_event_or_error_is_another_kind(lines: Lines) -> None:
    obs.init("shop", log_repeat_limit=1)
    for _ in range(2):
        obs.log.info("a")
        obs.log.error("a")
        obs.log.info("b")
        obs.get_logger("lib").info("a")
        obs.log.error("a", exc_info=ValueError())
        obs.log.error("a", exc_info=KeyError())
    assert len(lines()) == 6


def test_values_are_no_part_of_the_kind(lines: Lines) -> None:
    obs.init("shop", log_repeat_limit=1)
    for number in range(3):
        logging.getLogger("lib").warning("took %d s", number)
    obs.flush()
    first, summary = lines()
    assert first["message"] == "took 0 s"
    assert (summary["message"], summary["repeated"]) == ("took %d s", 2)


def test_zero_is_no_limit(lines: Lines) -> None:
    obs.init("shop", log_repeat_limit=0)
    for _ in range(500):
        obs.log.info("again")
    assert len(lines()) == 500


def test_by_default_a_hundred_a_second_are_written(lines: Lines) -> None:
    obs.init("shop")
    for _ in range(150):
        obs.log.info("again")
    assert len(lines()) == 100


def test_access_lines_and_lines_that_are_not_to_be_sampled_are_all_written(lines: Lines) -> None:
    obs.init("shop", log_repeat_limit=1)
    pipeline = logger.pipeline()
    assert pipeline is not None
    for _ in range(5):
        pipeline.emit("info", "GET / 200", {}, logger="obs.access")
        pipeline.emit("info", "user logged in", {}, logger="obs.security", sampled=False)
    assert len(lines()) == 10


def test_a_flood_of_different_events_takes_no_memory_and_loses_nothing(lines: Lines) -> None:
    obs.init("shop", log_repeat_limit=1)
    for number in range(repeats._MOST_KINDS + 100):
        obs.log.info(f"{number} " + "x" * 300)
    pipeline = logger.pipeline()
    assert pipeline is not None
    assert pipeline._repeats is not None
    assert len(pipeline._repeats._counts) == repeats._MOST_KINDS
    assert max(len(key[2]) for key in pipeline._repeats._counts) <= repeats._KEY_LIMIT
    assert len(lines()) == repeats._MOST_KINDS + 100


def test_a_forked_child_does_not_tell_what_its_parent_left_out(lines: Lines) -> None:
    obs.init("shop", log_repeat_limit=1)
    for _ in range(3):
        obs.log.info("again")
    lines()
    child = os.fork()
    if not child:
        obs.log.info("again")
        obs.flush()
        os._exit(0)
    os.waitpid(child, 0)
    assert [line.get("repeated") for line in lines()] == [None]
    obs.flush()
    assert [line["repeated"] for line in lines()] == [2]


@given(
    limit=st.integers(1, 5),
    seconds=st.lists(st.lists(st.sampled_from("abc"), max_size=30), max_size=4),
)
def test_every_line_is_written_or_counted(limit: int, seconds: list[list[str]]) -> None:
    counted = Repeats(limit)
    for second, events in enumerate(seconds, start=1):
        counted.turn(second)
        written = [event for event in events if counted.admits("", "info", event)]
        told = {kind.event: number for kind, number in counted.turn(second + 1_000)}
        for event in "abc":
            assert written.count(event) == min(limit, events.count(event))
            assert written.count(event) + told.get(event, 0) == events.count(event)
