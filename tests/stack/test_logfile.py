"""Who follows a log reads each line once, whatever happens to the file."""

from __future__ import annotations

from pathlib import Path

from obs.stack.logfile import follow


def test_new_lines_are_read_once_and_only_they(tmp_path: Path) -> None:
    log = tmp_path / "loki.log"
    log.write_text("old\n")
    lines = follow(log, every=0)
    assert next(lines) == ""
    with log.open("ab") as writer:
        writer.write(b"new \xc3")
        writer.flush()
        assert next(lines) == "new "
        writer.write(b"\xa9\n")
    assert next(lines) == "é\n"
    assert next(lines) == ""


def test_a_log_that_was_emptied_is_read_from_its_beginning(tmp_path: Path) -> None:
    log = tmp_path / "loki.log"
    log.write_text("a long line that goes\n")
    lines = follow(log, every=0)
    assert next(lines) == ""
    log.write_text("after\n")
    assert next(lines) == "after\n"


def test_a_server_that_starts_again_has_a_new_log(tmp_path: Path) -> None:
    log = tmp_path / "loki.log"
    log.write_text("a long first life\n")
    lines = follow(log, every=0)
    assert next(lines) == ""
    with log.open("a") as writer:
        writer.write("last words\n")
    log.replace(tmp_path / "loki.log.1")
    log.write_text("born\n")
    assert "".join(next(lines) for _ in range(4)) == "last words\nborn\n"


def test_it_ends_when_the_log_is_removed(tmp_path: Path) -> None:
    log = tmp_path / "loki.log"
    log.write_text("")
    lines = follow(log, every=0)
    assert next(lines) == ""
    log.unlink()
    assert list(lines) == []
