"""`obs demo` on the real engines: every step is seen, and whatever happens, nothing is left behind."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

import pytest

from obs.verify.drill import STEPS

pytestmark = pytest.mark.engines

#: Seconds; only an end of waiting for what went wrong.
LONGEST = 300
_OBS = [sys.executable, "-m", "obs"]


class Demo:
    """One `obs demo` under test, without a terminal; its processes are known by a mark that they all inherit."""

    def __init__(self, directory: Path, *options: str) -> None:
        self.temporary = directory / "tmp"
        self.temporary.mkdir()
        self.mark = f"DEMO_UNDER_TEST={directory}"
        self.child = subprocess.Popen(
            [*_OBS, "demo", "--port", "auto", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "TMPDIR": str(self.temporary), "DEMO_UNDER_TEST": str(directory)},
        )
        self.talk = ""
        self._output: str | None = None

    def await_line(self, beginning: str) -> None:
        """Read what the demo tells until a line begins like that."""
        assert self.child.stderr is not None
        deadline = time.monotonic() + LONGEST
        for line in self.child.stderr:
            self.talk += line
            if line.startswith(beginning):
                return
            assert time.monotonic() < deadline, self.talk
        pytest.fail(f"never told {beginning!r}:\n{self.talk}")

    def end(self) -> tuple[int, str]:
        """Wait for its end; return exit code and stdout."""
        if self._output is None:
            self._output, talk = self.child.communicate(timeout=LONGEST)
            self.talk += talk
        return self.child.returncode, self._output

    def processes(self) -> list[int]:
        """Return every living process that was started by this demo, itself included."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError):
                    if self.mark.encode() in (entry / "environ").read_bytes().split(b"\0"):
                        found.append(int(entry.name))
        return found

    def await_nothing_left(self) -> None:
        wait_until(lambda: not self.processes(), lambda: f"still there: {self.processes()}\n{self.talk}")
        assert list(self.temporary.iterdir()) == []


def wait_until(condition: Callable[[], bool], otherwise: Callable[[], str]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, otherwise()
        time.sleep(0.1)


class Start(Protocol):
    """Starts a demo with options; every demo has a directory of its own."""

    def __call__(self, *options: str) -> Demo: ...


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    demos: list[Demo] = []

    def begin(*options: str) -> Demo:
        directory = tmp_path / str(len(demos))
        directory.mkdir()
        demos.append(Demo(directory, *options))
        return demos[-1]

    yield begin
    for demo in demos:
        # What a failed test leaves must not disturb the next one.
        for pid in demo.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        demo.end()


def test_once_sees_every_step_and_leaves_nothing(start: Start) -> None:
    demo = start("--once", "--format", "json")

    code, output = demo.end()

    assert code == 0, demo.talk
    timeline = json.loads(output)
    assert tuple(timeline["seconds"]) == STEPS
    assert list(timeline["seconds"].values()) == sorted(timeline["seconds"].values())
    assert timeline["complete"] is True
    assert timeline["fault_to_notification"] == timeline["seconds"]["notified"]
    assert timeline["runbook_url"].endswith("/runbooks/payments/HttpErrorRatioHigh")
    demo.await_nothing_left()


def test_without_a_terminal_it_ends_by_itself_and_two_may_run_side_by_side(start: Start) -> None:
    demos = [start(), start()]
    ends = [demo.end() for demo in demos]
    for demo, (code, output) in zip(demos, ends, strict=True):
        assert code == 0, demo.talk
        assert re.search(r"^  resolved +\d+\.\d$", output, re.MULTILINE)
        demo.await_nothing_left()


@pytest.mark.parametrize(
    "moments",
    [
        ("starting payments", "starting runbooks", "starting prometheus", "starting alertmanager"),
        ("fault after", "firing after", "repaired after", "stopping prometheus"),
    ],
    ids=["while it starts", "once it runs"],
)
def test_ctrl_c_at_any_moment_leaves_nothing(start: Start, moments: tuple[str, ...]) -> None:
    def interrupt(demo: Demo, moment: str) -> None:
        demo.await_line(moment)
        assert len(demo.processes()) > 1, "nothing is running that could be left behind"

        demo.child.send_signal(signal.SIGINT)
        code, _ = demo.end()

        assert code == 130, demo.talk
        assert "Traceback" not in demo.talk
        demo.await_nothing_left()

    # Side by side: what they do is to wait for an alert.
    with ThreadPoolExecutor(len(moments)) as threads:
        interrupted = [threads.submit(interrupt, start(), moment) for moment in moments]
    for one in interrupted:
        one.result()


def test_a_second_ctrl_c_does_not_cut_the_clean_up(start: Start) -> None:
    demo = start()
    demo.await_line("fault after")
    demo.child.send_signal(signal.SIGINT)
    demo.await_line("stopping prometheus")
    demo.child.send_signal(signal.SIGINT)
    code, _ = demo.end()
    assert code == 130
    demo.await_nothing_left()


def test_sigterm_cleans_up_as_well(start: Start) -> None:
    demo = start()
    demo.await_line("pending after")
    demo.child.send_signal(signal.SIGTERM)
    code, _ = demo.end()
    assert code == 143
    demo.await_nothing_left()


def test_an_engine_that_dies_is_could_not_check(start: Start) -> None:
    demo = start()
    demo.await_line("fault after")
    (engine,) = [pid for pid in demo.processes() if Path(f"/proc/{pid}/exe").resolve().name == "prometheus"]
    os.kill(engine, signal.SIGKILL)
    code, output = demo.end()
    assert (code, output) == (3, "")
    assert "Prometheus does not answer" in demo.talk
    demo.await_nothing_left()


def test_even_sigkill_leaves_no_process(start: Start) -> None:
    demo = start()
    demo.await_line("fault after")
    demo.child.kill()
    demo.end()
    wait_until(lambda: not demo.processes(), lambda: f"still there: {demo.processes()}")


def test_a_taken_port_is_said_before_anything_is_started(start: Start) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        demo = start("--port", f"payments={port}")
        code, output = demo.end()
    assert (code, output) == (3, "")
    assert f"payments wants port {port}" in demo.talk
    assert "starting" not in demo.talk
    demo.await_nothing_left()


def test_in_a_terminal_it_shows_the_incident_and_stays_until_ctrl_c(tmp_path: Path) -> None:
    terminal, inside = pty.openpty()
    child = subprocess.Popen(
        [*_OBS, "demo", "--port", "auto"],
        stdin=inside,
        stdout=inside,
        stderr=inside,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100", "LINES": "40", "TMPDIR": str(tmp_path)},
    )
    os.close(inside)
    shown = ""
    asked_to_end = False
    deadline = time.monotonic() + LONGEST
    while time.monotonic() < deadline:
        if not select.select([terminal], [], [], 1)[0]:
            continue
        try:
            shown += os.read(terminal, 65536).decode(errors="replace")
        except OSError:
            break  # Linux says so when the other end has closed
        if not asked_to_end and "The shop stays up" in shown:
            asked_to_end = True
            child.send_signal(signal.SIGINT)
    code = child.wait(LONGEST)
    os.close(terminal)
    assert asked_to_end, shown[-3000:]
    assert code == 0
    assert "requests/s" in shown
    assert re.search(r"from fault to notification: \d+\.\d s", shown)
    assert not list(tmp_path.glob("obs-demo-*"))
