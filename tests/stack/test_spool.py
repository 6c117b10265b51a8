"""Lines of a service in files that are rotated: none lost, none torn, no more than was asked for."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from obs.errors import ConfigError
from obs.stack import spool
from obs.stack.spool import Spool


def _run(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "obs.stack.spool", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, **options)  # type: ignore[call-overload, no-any-return]


@settings(max_examples=20, deadline=None)
@given(blocks=st.lists(st.lists(st.integers(0, 60), min_size=1, max_size=8), max_size=30))
def test_every_line_is_kept_in_order_and_whole(
    tmp_path_factory: pytest.TempPathFactory, blocks: list[list[int]]
) -> None:
    path = tmp_path_factory.mktemp("spool") / "checkout.log"
    kept = Spool(path, 100, keep=1000)
    sent = [b"".join(b"%d" % (length % 10) * length + b"\n" for length in block) for block in blocks]
    for lines in sent:
        kept.write(lines)
    kept.close()
    files = [*kept.full(), path]
    assert b"".join(file.read_bytes() for file in files) == b"".join(sent)
    longest = max([100, *map(len, sent)])
    assert all(file.stat().st_size <= longest for file in files)
    assert all(file.read_bytes().endswith(b"\n") for file in files if file.stat().st_size)


def test_the_oldest_goes_once_there_are_too_many(tmp_path: Path) -> None:
    kept = Spool(tmp_path / "checkout.log", 10, keep=3)
    for number in range(7):
        kept.write(b"line %04d\n" % number)
    kept.close()
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "checkout.log",
        "checkout.log.00000005",
        "checkout.log.00000006",
    ]
    assert (tmp_path / "checkout.log").read_bytes() == b"line 0006\n"


def test_a_restart_goes_on_where_it_was(tmp_path: Path) -> None:
    path = tmp_path / "checkout.log"
    for number in range(4):
        kept = Spool(path, 20, keep=9)
        kept.write(b"line %04d\n" % number)
        kept.close()
    assert (tmp_path / "checkout.log.00000001").read_bytes() == b"line 0000\nline 0001\n"
    assert path.read_bytes() == b"line 0002\nline 0003\n"


def test_files_of_another_service_are_left_alone(tmp_path: Path) -> None:
    other = tmp_path / "checkout-worker.log.00000001"
    other.write_text("kept\n")
    kept = Spool(tmp_path / "checkout.log", 5, keep=2)
    for _ in range(4):
        kept.write(b"12345\n")
    kept.close()
    assert other.read_text() == "kept\n"


def test_a_full_disk_stops_no_service(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = Spool(tmp_path / "checkout.log", 1 << 20, keep=2)
    os.close(kept._descriptor)
    kept._descriptor = os.open("/dev/full", os.O_WRONLY)
    kept.write(b"one\n")
    kept.write(b"two\n")
    kept.close()
    assert kept.lost == 8
    assert capsys.readouterr().err.count("No space left on device") == 1


def test_output_goes_to_the_file_and_errors_stay_where_they_are(tmp_path: Path) -> None:
    done = _run(str(tmp_path / "a.log"), "--", "sh", "-c", "echo out; echo err >&2; printf rest; exit 7")
    assert (done.returncode, done.stdout, done.stderr) == (7, "", "err\n")
    assert (tmp_path / "a.log").read_text() == "out\nrest"


def test_a_signal_is_passed_on_and_the_last_words_are_kept(tmp_path: Path) -> None:
    script = "trap 'echo bye; exit 3' TERM; echo ready; while :; do sleep 0.05; done"
    file = tmp_path / "a.log"
    child = subprocess.Popen([sys.executable, "-m", "obs.stack.spool", str(file), "--", "sh", "-c", script])
    try:
        while not (file.exists() and file.read_text()):
            assert child.poll() is None
        child.send_signal(signal.SIGTERM)
        assert child.wait(30) == 3
    finally:
        child.kill()
        child.wait()
    assert file.read_text() == "ready\nbye\n"


def test_a_killed_service_is_told_as_shells_do(tmp_path: Path) -> None:
    done = _run(str(tmp_path / "a.log"), "--", "sh", "-c", "kill -9 $$")
    assert done.returncode == 128 + 9


def test_a_child_that_outlives_the_service_holds_nobody_up(tmp_path: Path) -> None:
    done = _run(str(tmp_path / "a.log"), "--", "sh", "-c", "sleep 20 2>/dev/null & echo done; echo $!>&2")
    os.kill(int(done.stderr), signal.SIGKILL)
    assert done.returncode == 0
    assert (tmp_path / "a.log").read_text() == "done\n"


def test_what_does_not_start_is_said(tmp_path: Path) -> None:
    done = _run(str(tmp_path / "a.log"), "--", "/no/such/program")
    assert done.returncode == 3
    assert "error: /no/such/program does not start: No such file or directory" in done.stderr


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    done = _run(str(tmp_path / "none" / "a.log"), "--", "true")
    assert done.returncode == 3
    assert "cannot be written: No such file or directory" in done.stderr


@pytest.mark.parametrize(("text", "size"), [("1KiB", 1024), ("128MiB", 128 << 20), ("7", 7)])
def test_sizes(text: str, size: int) -> None:
    assert spool._size(text) == size


@pytest.mark.parametrize("text", ["", "0MiB", "1.5MiB", "12 MB", "-1", "٣"])
def test_an_impossible_size_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="such as 128MiB"):
        spool._size(text)
