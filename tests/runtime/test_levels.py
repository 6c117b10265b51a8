"""Which level of which logger is written, and how that changes while the process runs."""

from __future__ import annotations

import copy
import gc
import logging
import os
import pickle
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

import obs
from obs.errors import ConfigError
from obs.runtime import levels
from obs.runtime.severity import SEVERITY

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture(params=["obs", "structlog", "logging"])
def get_logger(request: pytest.FixtureRequest) -> Callable[[str], Any]:
    """Every kind of logger; what is said of levels holds for all of them."""
    kinds: dict[str, Callable[[str], Any]] = {
        "obs": obs.get_logger,
        "structlog": structlog.get_logger,
        "logging": logging.getLogger,
    }
    return kinds[request.param]


@pytest.fixture(autouse=True)
def named() -> Iterator[None]:
    """Forget the levels that a test leaves on loggers of standard logging."""
    yield
    obs.shutdown(0)
    for name in ("shop", "shop.basket", "shop.db", "lib"):
        assert logging.getLogger(name).level == logging.NOTSET


def test_a_level_changes_for_loggers_that_were_made_and_used_before(
    get_logger: Callable[[str], Any], lines: Lines
) -> None:
    obs.init("shop")
    log = get_logger("lib")
    log.debug("a")
    obs.set_level("debug", "lib")
    log.debug("b")
    obs.set_level("error", "lib")
    log.warning("c")
    log.error("d")
    obs.set_level("default", "lib")
    log.debug("e")
    log.info("f")
    assert [line["message"] for line in lines()] == ["b", "d", "f"]


def test_a_rule_holds_for_the_loggers_below_unless_they_have_their_own(
    get_logger: Callable[[str], Any], lines: Lines
) -> None:
    obs.init("shop")
    obs.set_level("debug", "shop")
    obs.set_level("warning", "shop.db")
    for name in ("shop", "shop.basket", "shop.db", "shop.db.pool", "shopping", "other"):
        get_logger(name).debug(name)
        get_logger(name).warning(f"{name}!")
    written = [line["message"] for line in lines()]
    assert written == [
        "shop", "shop!", "shop.basket", "shop.basket!", "shop.db!", "shop.db.pool!", "shopping!", "other!",
    ]  # fmt: skip


def test_the_level_of_the_whole(get_logger: Callable[[str], Any], lines: Lines) -> None:
    obs.init("shop", log_levels={"shop.db": "error"})
    obs.set_level("debug")
    get_logger("lib").debug("a")
    get_logger("shop.db").warning("b")
    obs.set_level("critical")
    get_logger("lib").error("c")
    get_logger("shop.db").error("d")
    obs.set_level("default")
    get_logger("lib").info("e")
    get_logger("lib").debug("f")
    assert [line["message"] for line in lines()] == ["a", "d", "e"]


def test_settings_give_loggers_their_levels(lines: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OBS_LOG_LEVELS", "shop=debug, lib=warn")
    obs.init("shop")
    obs.get_logger("shop.basket").debug("a")
    logging.getLogger("lib").info("b")
    logging.getLogger("shop").debug("c")
    assert [line["message"] for line in lines()] == ["a", "c"]


def test_a_wrong_level_in_the_settings_is_refused() -> None:
    with pytest.raises(ConfigError, match="one of debug, info"):
        obs.init("shop", log_levels="shop=loud")


def test_what_was_said_of_a_logger_stays_when_settings_change(lines: Lines) -> None:
    obs.init("shop")
    log = structlog.get_logger("lib")
    log.info("made and cached")
    obs.set_level("debug", "lib")
    obs.set_level("debug")
    obs.init("shop", log_level="error")
    log.debug("a")
    obs.log.info("b")
    assert [line["message"] for line in lines()] == ["made and cached", "a"]
    obs.shutdown()
    obs.init("shop")
    log.debug("c")
    log.info("d")
    assert [line["message"] for line in lines()] == ["d"]


@pytest.mark.parametrize("level", ["debgu", "", "none", 15, True, None, "x" * 1_000])
def test_an_unknown_level_is_refused(level: Any) -> None:
    obs.init("shop")
    with pytest.raises(ConfigError, match="unknown log level") as caught:
        obs.set_level(level)
    assert level != "debgu" or caught.value.hint == "did you mean 'debug'?"
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("level", ["WARN", "warning", "Warning", logging.WARNING])
def test_levels_may_be_written_as_logging_does(level: str | int, lines: Lines) -> None:
    obs.init("shop")
    obs.set_level(level)
    obs.log.info("a")
    obs.log.warning("b")
    assert [line["message"] for line in lines()] == ["b"]


def test_before_init_it_is_refused_with_the_setting_to_use() -> None:
    with pytest.raises(ConfigError, match="before init") as caught:
        obs.set_level("debug")
    assert "log_levels" in str(caught.value.hint)


def test_with_logs_off_it_changes_nothing() -> None:
    obs.init("shop", logs=False)
    before = logging.getLogger("lib").level
    obs.set_level("debug", "lib")
    assert logging.getLogger("lib").level == before


def test_a_file_of_the_host_keeps_what_it_wants_while_we_write_less(tmp_path: Path, lines: Lines) -> None:
    file = logging.FileHandler(tmp_path / "all.log")
    log = logging.getLogger("shop")
    log.addHandler(file)
    try:
        obs.init("shop")
        obs.set_level("error", "shop")
        log.info("detail")
    finally:
        log.removeHandler(file)
        file.close()
    assert "detail" in (tmp_path / "all.log").read_text()
    assert lines() == []


def test_a_level_that_the_host_changed_meanwhile_is_left_alone() -> None:
    obs.init("shop")
    obs.set_level("debug", "lib")
    log = logging.getLogger("lib")
    log.setLevel(logging.CRITICAL)
    try:
        obs.set_level("default", "lib")
        assert log.level == logging.CRITICAL
        obs.shutdown()
        assert log.level == logging.CRITICAL
    finally:
        log.setLevel(logging.NOTSET)


def test_loggers_share_a_gate_and_leave_none_behind() -> None:
    first, second = obs.get_logger("gate.shared"), obs.get_logger("gate.shared")
    assert first._gate is second._gate
    del first, second
    gc.collect()
    assert "gate.shared" not in levels._gates


def test_names_of_records_do_not_pile_up() -> None:
    obs.init("shop", log_level="error")
    for number in range(2 * levels._MOST_NAMES):
        levels.threshold(f"made.by.hand.{number}")
    assert len(levels._known) <= levels._MOST_NAMES


def test_a_logger_can_be_copied_and_pickled(lines: Lines) -> None:
    obs.init("shop")
    log = obs.get_logger("lib", a=1)
    for other in (copy.deepcopy(log), pickle.loads(pickle.dumps(log))):  # noqa: S301
        other.info("x")
    assert [(line["logger"], line["a"]) for line in lines()] == [("lib", 1)] * 2


def test_a_temporary_level_ends_in_a_forked_child() -> None:
    obs.init("shop")
    levels.change("debug", "lib", seconds=60)
    levels.change("error", "shop")
    child = os.fork()
    if not child:
        good = levels.threshold("lib") == logging.INFO and levels.threshold("shop") == logging.ERROR
        os._exit(0 if good else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert levels.threshold("lib") == logging.DEBUG


def test_no_thread_of_a_temporary_level_is_there_at_a_fork_and_it_ends_all_the_same() -> None:
    def timers() -> list[threading.Thread]:
        return [thread for thread in threading.enumerate() if thread.name == "obs-level"]

    obs.init("shop")
    levels.change("error", "lib")
    levels.change("debug", "lib", seconds=2)
    levels._hold()
    assert timers() == []
    levels._resume()
    (timer,) = timers()
    timer.join(10)
    assert levels.threshold("lib") == logging.ERROR


def test_structlogs_own_way_to_capture_lines_sees_those_of_cached_loggers() -> None:
    obs.init("shop")
    log = structlog.get_logger("lib")
    log.info("cached")
    obs.init("shop", log_level="debug")
    with structlog.testing.capture_logs() as captured:
        log.info("a", b=1)
    assert captured == [{"event": "a", "b": 1, "log_level": "info"}]


def test_structlogs_questions_about_the_level_are_answered() -> None:
    obs.init("shop")
    log = structlog.get_logger("lib")
    assert (log.is_enabled_for(10), log.is_enabled_for(20), log.get_effective_level()) == (False, True, 20)
    obs.set_level("debug", "lib")
    assert (log.is_enabled_for(10), log.get_effective_level()) == (True, 10)


_NAMES = st.lists(st.sampled_from("abc"), max_size=4).map(".".join)


@given(rules=st.dictionaries(_NAMES, st.sampled_from(list(SEVERITY))), name=_NAMES)
def test_the_nearest_rule_above_holds_as_in_standard_logging(rules: dict[str, str], name: str) -> None:
    manager = logging.Manager(logging.RootLogger(logging.INFO))
    for logger, level in rules.items():
        found = manager.getLogger(logger) if logger else manager.root
        found.setLevel(SEVERITY[level])
    expected = (manager.getLogger(name) if name else manager.root).getEffectiveLevel()
    levels.start("info", {})
    try:
        for logger, level in rules.items():
            levels.change(level, logger)
        assert levels.threshold(name) == expected
        assert levels.gate(name).level == expected
    finally:
        levels.stop()
