"""Commands run to their end within a limit; what fails is quoted, what is interrupted leaves nothing."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from obs.errors import StackError
from obs.stack import command, tether
from obs.stack.command import run
from obs.stack.progress import Progress, Step

Until = Callable[[Callable[[], bool]], None]
Members = Callable[[int], list[int]]

#: Tells its group, then sleeps with a child.
FAMILY = """
import os, pathlib, subprocess, sys, time
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
pathlib.Path(sys.argv[1]).write_text(str(os.getpid()))
time.sleep(600)
"""


def _python(code: str, *arguments: str) -> list[str]:
    return [sys.executable, "-c", code, *arguments]


def test_both_streams_are_returned() -> None:
    output = run(
        _python("import sys; print('out', flush=True); print('err', file=sys.stderr)"),
        step=Step("x", None),
        within=30,
    )
    assert output.splitlines() == ["out", "err"]


def test_a_failure_quotes_the_last_lines() -> None:
    with pytest.raises(StackError, match=r"ended with 3: two \| three \| four"):
        run(
            _python("print('one\\ntwo\\nthree\\nfour'); raise SystemExit(3)"), step=Step("x", None), within=30
        )


def test_a_program_that_is_absent_is_named() -> None:
    with pytest.raises(StackError, match="no-such-program does not start"):
        run(["no-such-program"], step=Step("x", None), within=1)


#: Says a word and goes on until it is told that the word was seen.
TALKER = """
import pathlib, sys, time
print("a1", flush=True)
while not pathlib.Path(sys.argv[1]).exists():
    time.sleep(0.02)
"""


def test_progress_shows_what_the_lines_mean(tmp_path: Path) -> None:
    shown = tmp_path / "shown"

    def report(progress: Progress) -> None:
        if progress.step == "building: A1":
            shown.touch()

    run(
        _python(TALKER, str(shown)),
        step=Step("building", report),
        within=60,
        detail=lambda line: line.upper(),
    )
    assert shown.exists()


def test_the_limit_ends_the_whole_family(tmp_path: Path, until: Until, members: Members) -> None:
    note = tmp_path / "pid"
    with pytest.raises(StackError, match="did not end within 4 s"):
        run(_python(FAMILY, str(note)), step=Step("x", None), within=4)
    until(lambda: members(int(note.read_text())) == [])


#: Ends at once and leaves a child that keeps the output open.
LEAVER = """
import pathlib, os, subprocess, sys
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
pathlib.Path(sys.argv[1]).write_text(str(os.getpid()))
"""

#: Closes its output and goes on.
MUTE = """
import os, pathlib, sys, time
pathlib.Path(sys.argv[1]).write_text(str(os.getpid()))
os.close(1)
os.close(2)
time.sleep(600)
"""


@pytest.mark.parametrize("code", [LEAVER, MUTE], ids=["leaver", "mute"])
def test_the_limit_holds_for_what_hides_its_end(
    code: str, tmp_path: Path, until: Until, members: Members
) -> None:
    note = tmp_path / "pid"
    with pytest.raises(StackError, match="did not end within 4 s"):
        run(_python(code, str(note)), step=Step("x", None), within=4)
    until(lambda: members(int(note.read_text())) == [])


def test_ctrl_c_ends_the_whole_family(tmp_path: Path, until: Until, members: Members) -> None:
    note = tmp_path / "pid"

    def interrupt() -> None:
        until(lambda: note.exists() and note.read_text() != "")
        signal.raise_signal(signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        run(_python(FAMILY, str(note)), step=Step("x", None), within=600)
    thread.join()
    until(lambda: members(int(note.read_text())) == [])


#: Runs what follows its first argument, a file that has two bytes as soon as it waits for the end.
KILLED = """
import sys
from obs.stack.command import run
from obs.stack.progress import Step
def told(_):
    with open(sys.argv[1], "a") as file:
        file.write(".")
run(sys.argv[2:], step=Step("x", told), within=600)
"""


def test_sigkill_of_this_program_ends_the_whole_family(
    tmp_path: Path, until: Until, members: Members
) -> None:
    note, told = tmp_path / "pid", tmp_path / "told"
    with subprocess.Popen(_python(KILLED, str(told), *_python(FAMILY, str(note)))) as first:
        until(lambda: note.exists() and note.read_text() != "" and len(told.read_text()) > 1)
        first.kill()
    until(lambda: members(int(note.read_text())) == [])


def test_the_watchdog_is_there_before_the_program_and_not_left_by_one_that_does_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, start, seen = tether._watchdog, command._start, []

    def noted(*given: Any) -> Any:
        seen.append(tether._watchdog is not None)
        return start(*given)

    monkeypatch.setattr(command, "_start", noted)
    with pytest.raises(StackError, match="does not start"):
        run([str(tmp_path / "absent")], step=Step("x", None), within=60)
    assert seen == [True]
    assert tether._watchdog is before
