"""Log lines: one JSON object a line, from every door, and never an error to the host."""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import structlog

import obs
from obs.catalogue.log import FIELDS, LEVELS
from obs.runtime import guard, tally
from obs.runtime.records import Handler
from obs.runtime.redaction import MASK

Lines = Callable[[], list[dict[str, Any]]]


def fail(error: Exception) -> None:
    raise error


def test_a_line_has_the_declared_fields_and_its_own(lines: Lines) -> None:
    obs.init("shop", version="1.2", environment="test")
    obs.log.info("order placed", order_id=7)
    (line,) = lines()
    assert list(line) == ["timestamp", "level", "service", "version", "environment", "message", "order_id"]
    assert line["message"] == "order placed"
    assert (line["level"], line["service"], line["version"], line["environment"]) == (
        "info", "shop", "1.2", "test",
    )  # fmt: skip
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", line["timestamp"])


def test_every_always_field_of_the_catalogue_is_on_every_line(lines: Lines) -> None:
    obs.init("shop")
    obs.log.info("a")
    logging.getLogger("lib").warning("b")
    for line in lines():
        assert {field.name for field in FIELDS if field.always} <= set(line)


def test_a_line_inside_a_span_carries_its_ids(lines: Lines) -> None:
    obs.init("shop")
    with obs.span("work"):
        obs.log.info("inside")
        ids = obs.ids()
    (line,) = lines()
    assert (line["trace_id"], line["span_id"]) == (ids.trace_id, ids.span_id)
    assert re.fullmatch("[0-9a-f]{32}", ids.trace_id)


def test_bound_fields_nest_and_end_with_their_block(lines: Lines) -> None:
    obs.init("shop")
    with obs.bind(user_id=1):
        with obs.bind(step="pay"):
            obs.log.info("a")
        obs.log.info("b")
    obs.log.info("c")
    a, b, c = lines()
    assert (a["user_id"], a["step"]) == (1, "pay")
    assert "step" not in b
    assert "user_id" not in c


def test_a_field_cannot_forge_one_of_ours(lines: Lines) -> None:
    obs.init("shop")
    obs.log.info("real", message="forged", level="debug", trace_id="x")
    (line,) = lines()
    assert (line["message"], line["level"]) == ("real", "info")
    assert (line["message_"], line["level_"], line["trace_id_"]) == ("forged", "debug", "x")


def test_a_newline_in_a_value_does_not_make_a_second_line(lines: Lines) -> None:
    obs.init("shop")
    obs.log.info("a\nb", note='x\r\n{"level":"critical"}')
    (line,) = lines()
    assert line["message"] == "a\nb"


def test_an_unserialisable_value_is_rendered(lines: Lines) -> None:
    obs.init("shop")
    obs.log.info("a", thing=object(), fn=len, exc=ValueError("v"))
    (line,) = lines()
    assert line["thing"].startswith("<object object")
    assert line["exc"] == "v"
    assert tally.count("errors", "logs") == 0


def test_secrets_are_masked_in_fields_messages_and_stacks(lines: Lines) -> None:
    obs.init("shop")
    try:
        fail(ValueError("refused Bearer abcdef123"))
    except ValueError:
        obs.log.exception("failed with Bearer abcdef123", password="p", headers={"Cookie": "c"})  # noqa: S106
    (line,) = lines()
    assert "abcdef123" not in str(line)
    assert line["password"] == MASK
    assert line["headers"] == {"Cookie": MASK}
    assert "ValueError" in line["exception"]


def test_levels_below_the_threshold_are_not_written(lines: Lines) -> None:
    obs.init("shop", log_level="warning")
    for level in LEVELS:
        getattr(obs.log, level)("x")
        getattr(logging.getLogger("lib"), level)("y")
        getattr(structlog.get_logger(), level)("z")
    assert {line["level"] for line in lines()} == {"warning", "error", "critical"}


def test_a_logger_with_a_level_of_its_own_does_not_pass_the_threshold(lines: Lines) -> None:
    own = logging.getLogger("test.own_level")
    own.setLevel(logging.DEBUG)
    obs.init("shop", log_level="warning")
    own.info("hidden")
    own.warning("seen")
    assert [line["message"] for line in lines()] == ["seen"]


def test_a_host_that_wants_more_in_its_file_keeps_getting_it(tmp_path: Path) -> None:
    file = logging.FileHandler(tmp_path / "all.log")
    level = logging.root.level
    logging.root.addHandler(file)
    logging.root.setLevel(logging.DEBUG)
    try:
        obs.init("shop", log_level="error")
        logging.getLogger("lib").debug("detail")
    finally:
        logging.root.setLevel(level)
        logging.root.removeHandler(file)
        file.close()
    assert "detail" in (tmp_path / "all.log").read_text()


def test_standard_logging_goes_through_the_same_pipeline(lines: Lines) -> None:
    obs.init("shop")
    with obs.span("work"):
        logging.getLogger("lib.part").warning("took %d s", 3, extra={"table": "users", "token": "t"})
    (line,) = lines()
    assert (line["message"], line["logger"], line["level"]) == ("took 3 s", "lib.part", "warning")
    assert (line["table"], line["token"]) == ("users", "[redacted]")
    assert line["trace_id"]


def test_a_standard_record_whose_arguments_do_not_fit_is_written_without_them(lines: Lines) -> None:
    obs.init("shop")
    record = logging.makeLogRecord({"msg": "took %d s", "args": ("long",), "levelno": 30, "name": "lib"})
    # Straight to our handler: pytest's own one raises for such a record.
    next(handler for handler in logging.root.handlers if isinstance(handler, Handler)).handle(record)
    assert [line["message"] for line in lines()] == [
        "obs kept an error of its own from the host",
        "took %d s",
    ]
    assert tally.count("errors", "logs") == 1


def test_warnings_become_lines() -> None:
    code = "import obs, warnings; obs.init('shop'); warnings.warn('old way', FutureWarning)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    line = json.loads(done.stdout)
    assert line["logger"] == "py.warnings"
    assert "old way" in line["message"]
    assert done.stderr == ""


def test_root_handlers_of_the_console_are_replaced_and_given_back() -> None:
    mine = logging.StreamHandler(os.fdopen(os.dup(2), "w"))
    console = logging.StreamHandler()
    logging.root.addHandler(mine)
    logging.root.addHandler(console)
    try:
        before = list(logging.root.handlers)
        obs.init("shop")
        assert mine in logging.root.handlers
        obs.shutdown()
        assert set(logging.root.handlers) == set(before)
    finally:
        logging.root.removeHandler(mine)
        logging.root.removeHandler(console)
        mine.stream.close()


def test_lines_are_counted_by_level(lines: Lines) -> None:
    obs.init("shop")
    obs.log.info("a")
    obs.log.error("b")
    logging.getLogger("lib").error("c")
    assert tally.counts("log_records") == {"info": 1, "error": 2}
    assert len(lines()) == 3


def test_console_format_is_for_people(capfd: pytest.CaptureFixture[str]) -> None:
    obs.init("shop", log_format="console")
    obs.log.info("order placed", order_id=7)
    try:
        fail(ValueError("bad"))
    except ValueError:
        obs.log.exception("failed")
    out = re.sub(r"\x1b\[[0-9;]*m", "", capfd.readouterr().out)
    assert "order placed" in out
    assert "order_id=7" in out
    assert "\nTraceback" in out


def test_lines_can_go_to_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    obs.init("shop", log_stream="stderr", log_format="json")
    obs.log.info("x")
    captured = capfd.readouterr()
    assert captured.out == ""
    assert '"message":"x"' in captured.err


def test_before_init_lines_go_to_standard_logging(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        obs.get_logger("early", a=1).info("not lost", b=2)
    assert caplog.messages == ["not lost a=1 b=2"]


def test_with_logs_off_nothing_is_written_and_standard_logging_is_left_alone(
    capfd: pytest.CaptureFixture[str],
) -> None:
    handlers = list(logging.root.handlers)
    status = obs.init("shop", logs=False)
    obs.log.error("x")
    assert capfd.readouterr().out == ""
    assert logging.root.handlers == handlers
    assert status.skipped["logs"] == "setting logs is false"


def test_a_broken_stream_is_counted_not_raised(lines: Lines) -> None:
    obs.init("shop")
    read, write = os.pipe()
    os.close(read)
    kept = os.dup(1)
    try:
        os.dup2(write, 1)
        obs.log.info("into a broken pipe")
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(write)
    assert tally.count("errors", "logs") >= 1


def test_a_cause_is_logged_once_and_counted_each_time(lines: Lines) -> None:
    obs.init("shop")
    gauge = obs.gauge("test.once", labels=("a",))
    for _ in range(5):
        gauge.set(1, wrong="x")
    assert tally.count("errors", "metrics") == 5
    (line,) = lines()
    assert line["component"] == "metrics"
    assert "expected a" in line["exception"]


def test_the_guard_survives_a_sink_that_raises() -> None:
    def sink(component: str, error: BaseException) -> None:
        raise OSError("disk full")

    guard.report_to(sink)
    with guard.contained("metrics"):
        raise ValueError("x")
    assert tally.counts("errors") == {"metrics": 1, "logs": 1}


def test_ctrl_c_passes_the_guard() -> None:
    with pytest.raises(KeyboardInterrupt), guard.contained("logs"):
        raise KeyboardInterrupt


def test_a_field_called_event_does_not_hide_the_message_from_people(
    capfd: pytest.CaptureFixture[str],
) -> None:
    obs.init("shop", log_format="console")
    obs.log.info("order placed", event="order")
    written = re.sub(r"\x1b\[[0-9;]*m", "", capfd.readouterr().out)
    assert "order placed" in written
    assert "event=order" in written


def test_any_name_may_be_bound_and_any_object_may_be_the_event(lines: Lines) -> None:
    class Mute:
        def __str__(self) -> str:
            raise OSError

    obs.init("shop")
    obs.log.bind(self=1, name=2, fields=3).info(Mute())  # type: ignore[arg-type]
    (line,) = lines()
    assert (line["self"], line["name"], line["fields"]) == (1, 2, 3)
    assert line["message"] == "<Mute that raised OSError>"


def test_a_stream_that_was_closed_before_python_began_is_never_written_to(tmp_path: Path) -> None:
    file = tmp_path / "data"
    code = (
        "import os, sys, obs\n"
        f"assert os.open({str(file)!r}, os.O_CREAT | os.O_WRONLY) == 1\n"
        "status = obs.init('shop', log_format='json')\n"
        "obs.log.info('hello'); obs.log.error('hello')\n"
        "assert status.skipped['logs'] == 'stdout is closed', status\n"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" >&-', "sh", *command], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr, file.read_bytes()) == (0, "", b"")
