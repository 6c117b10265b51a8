"""Logs stay bounded while their writers go on."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from obs.stack import process, rotation
from obs.stack.rotation import rotate


def test_a_small_log_is_left_alone(tmp_path: Path) -> None:
    log = tmp_path / "loki.log"
    log.write_text("x" * 10)
    assert not rotate(log, limit=10, kept=3)
    assert [path.name for path in tmp_path.iterdir()] == ["loki.log"]


def test_older_parts_move_on_and_the_oldest_goes(tmp_path: Path) -> None:
    log = tmp_path / "loki.log"
    for turn in range(5):
        log.write_text(f"{turn}" * 20)
        assert rotate(log, limit=10, kept=3)
    parts = {path.name: path.read_text()[:1] for path in tmp_path.iterdir()}
    assert parts == {"loki.log": "", "loki.log.1": "4", "loki.log.2": "3", "loki.log.3": "2"}


def test_without_room_for_a_copy_nothing_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "loki.log"
    log.write_text("now" * 10)
    (tmp_path / "loki.log.1").write_text("before")

    def half(_: Path, target: Path) -> None:
        target.write_text("no")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shutil, "copyfile", half)
    with pytest.raises(OSError, match="No space left"):
        rotate(log, limit=10, kept=3)
    kept = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert kept == {"loki.log": "now" * 10, "loki.log.1": "before"}


def test_a_writer_that_appends_goes_on_at_the_beginning(tmp_path: Path) -> None:
    log = tmp_path / "loki.log"
    with log.open("a") as writer:
        writer.write("x" * 20)
        writer.flush()
        rotate(log, limit=10, kept=1)
        writer.write("after")
        writer.flush()
    assert log.read_text() == "after"
    assert (tmp_path / "loki.log.1").read_text() == "x" * 20


def test_it_runs_once_for_a_stack_and_ends_with_it(
    tmp_path: Path, until: Callable[[Callable[[], bool]], None]
) -> None:
    process.start_all(rotation.programs(tmp_path))
    pid_file = tmp_path / "run" / ".log-rotation.json"
    first = process.find(pid_file)
    assert first is not None
    assert rotation.programs(tmp_path) == []
    again = process.find(pid_file)
    assert again is not None
    assert again.pid == first.pid
    rotation.stop(tmp_path)
    rotation.stop(tmp_path)
    until(lambda: process.find(pid_file) is None)
    assert not pid_file.exists()
