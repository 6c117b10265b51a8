"""A supervised child: ready before it counts, stopped with all it started, never mistaken for another."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from obs.errors import StackError
from obs.stack import process
from obs.stack.ports import Endpoint, free
from obs.stack.process import Program
from obs.stack.progress import Progress

MakeProgram = Callable[..., Program]
Until = Callable[[Callable[[], bool]], None]
Members = Callable[[int], list[int]]

#: Its first thread ends at once, the process a second later.
HEADLESS = """
    import ctypes, os, threading, time

    def later():
        time.sleep(1)
        os._exit(7)

    threading.Thread(target=later).start()
    ctypes.CDLL(None).pthread_exit(None)
"""

SLEEPER = "import time; time.sleep(600)"

DEAF = """
    import signal, time
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("deaf", flush=True)
    time.sleep(600)
"""

PARENT = """
    import subprocess, sys, time
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    print("born", flush=True)
    time.sleep(600)
"""

SERVER = """
    import http.server, os, sys
    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
    http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Answer).serve_forever()
"""


def test_a_child_is_started_when_it_answers(program: MakeProgram) -> None:
    endpoint = Endpoint("child", free())
    running = process.start(
        program(SERVER, endpoint=endpoint, environment={**os.environ, "PORT": str(endpoint.port)})
    )
    try:
        assert running.is_alive()
        assert "GET /-/ready" in running.log.read_text()
    finally:
        process.stop(running)
    assert not running.is_alive()


def test_a_child_that_ends_early_is_quoted(program: MakeProgram) -> None:
    with pytest.raises(StackError) as caught:
        process.start(
            program(
                "print('the disk is on fire'); raise SystemExit(7)",
                endpoint=Endpoint("child", free()),
            )
        )
    assert "child ended with 7 before it was ready" in str(caught.value)
    assert "the disk is on fire" in str(caught.value)


@pytest.mark.skipif(sys.platform != "linux", reason="only there does a process outlive its first thread so")
def test_a_child_lives_as_long_as_one_of_its_threads(program: MakeProgram) -> None:
    with pytest.raises(StackError, match="child ended with 7 before it was ready"):
        process.start(program(HEADLESS, endpoint=Endpoint("child", free())))


def test_a_child_that_dies_by_a_signal_says_which(program: MakeProgram) -> None:
    source = "import os; os.kill(os.getpid(), 9)"
    with pytest.raises(StackError, match="child ended by signal 9"):
        process.start(program(source, endpoint=Endpoint("child", free())))


def test_a_child_that_is_never_ready_is_stopped(program: MakeProgram, tmp_path: Path, until: Until) -> None:
    pid_file = tmp_path / "child.json"
    endpoint = Endpoint("child", free())
    with pytest.raises(StackError, match=r"not ready within 0\.3 s"):
        process.start(program(SLEEPER, endpoint=endpoint, ready_within=0.3, pid_file=pid_file))
    assert not pid_file.exists()


def test_whoever_waits_for_a_child_is_told_how_long_that_may_take(program: MakeProgram) -> None:
    told: list[Progress] = []
    with pytest.raises(StackError):
        process.start(
            program(SLEEPER, endpoint=Endpoint("child", free()), ready_within=0.3), report=told.append
        )
    assert {one.step for one in told if one.within == 0.3} == {"starting child"}
    assert str(Progress("starting child", 12.3, within=120.0)) == "starting child, 12 s of at most 120 s"


def test_a_program_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="/no/such/program: ghost does not start"):
        process.start(Program("ghost", ("/no/such/program",), log=tmp_path / "ghost.log"))


@pytest.mark.parametrize("blocked", ["log", "pid_file"])
def test_a_child_that_cannot_be_written_down_is_not_left_running(
    blocked: str, program: MakeProgram, tmp_path: Path
) -> None:
    made = program(SLEEPER, pid_file=tmp_path / "pid_file" / "child.json")
    (tmp_path / blocked).write_text("a file where a directory belongs")
    with pytest.raises(
        StackError, match=f"/{blocked}.*: child does not start: (File exists|Not a directory)"
    ):
        process.start(made)
    assert process._children == {}


def test_stop_ends_the_whole_group(program: MakeProgram, until: Until, members: Members) -> None:
    running = process.start(program(PARENT))
    until(lambda: "born" in running.log.read_text())
    assert len(members(running.pid)) == 2

    process.stop(running)

    until(lambda: members(running.pid) == [])


ELSEWHERE = """
import sys
import textwrap
from pathlib import Path
from obs.stack import process
place = Path(sys.argv[1])
process.start(
    process.Program(
        "child", (sys.executable, "-c", sys.argv[2]), log=place / "child.log", pid_file=place / "child.json"
    ),
    tied=False,
)
"""


def test_the_child_of_another_program_is_stopped_with_its_group(
    tmp_path: Path, until: Until, members: Members
) -> None:
    subprocess.run(
        [sys.executable, "-c", ELSEWHERE, str(tmp_path), textwrap.dedent(PARENT)], check=True, timeout=60
    )
    running = process.find(tmp_path / "child.json")
    assert running is not None
    until(lambda: len(members(running.pid)) == 2)

    process.stop(running)

    assert not running.is_alive()
    until(lambda: members(running.pid) == [])


def test_what_a_dead_child_has_started_ends_with_it(
    program: MakeProgram, until: Until, members: Members
) -> None:
    running = process.start(program(PARENT))
    until(lambda: len(members(running.pid)) == 2)
    os.kill(running.pid, signal.SIGKILL)
    until(lambda: not running.is_alive())
    assert len(members(running.pid)) == 1

    process.stop(running)

    until(lambda: members(running.pid) == [])


def test_a_child_that_ignores_sigterm_is_killed(program: MakeProgram, until: Until) -> None:
    told: list[Progress] = []
    running = process.start(program(DEAF, stop_within=0.2))
    until(lambda: "deaf" in running.log.read_text())
    process.stop(running, report=told.append)
    assert not running.is_alive()
    # Whoever waits is told how long it may take, and what became of it.
    assert {one.step for one in told if one.within == 0.2} == {"stopping child"}
    assert told[-1].step == "stopping child: killed, for it did not end by itself within 0.2 s"


def test_a_child_that_died_is_reaped_at_the_next_start(
    program: MakeProgram, until: Until, members: Members
) -> None:
    dead = process.start(program(PARENT))
    until(lambda: len(members(dead.pid)) == 2)
    os.kill(dead.pid, signal.SIGKILL)
    until(lambda: not dead.is_alive())
    other = process.start(program(SLEEPER))
    process.stop(other)
    assert not Path("/proc", str(dead.pid)).exists()
    until(lambda: members(dead.pid) == [])
    assert process._children == {}


def test_stop_twice_is_harmless(program: MakeProgram) -> None:
    running = process.start(program(SLEEPER))
    process.stop(running)
    process.stop(running)


def test_the_pid_file_leads_to_the_child_and_goes_with_it(program: MakeProgram, tmp_path: Path) -> None:
    pid_file = tmp_path / "run" / "child.json"
    running = process.start(program(SLEEPER, pid_file=pid_file, details={"url": "x"}))
    assert process.find(pid_file) == running

    process.stop(running)

    assert not pid_file.exists()
    assert process.find(pid_file) is None


def test_a_recycled_number_is_nobody(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True
    ) as innocent:
        pid_file = tmp_path / "child.json"
        kept = {
            "name": "child",
            "pid": innocent.pid,
            "started": "an earlier boot 123",
            "argv": ["x"],
            "log": "x",
            "stop_within": 1,
            "details": {},
        }
        pid_file.write_text(json.dumps(kept))
        assert process.find(pid_file) is None

        process.stop(process.Running("child", innocent.pid, "an earlier boot 123", (), tmp_path / "log"))

        innocent.communicate(b"still here\n")
    assert innocent.returncode == 0


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"pid": 1}', '{"name":"x","pid":"many","started":"","argv":[],"log":""}'],
)
def test_a_damaged_pid_file_is_none(text: str, tmp_path: Path) -> None:
    pid_file = tmp_path / "child.json"
    pid_file.write_text(text)
    assert process.find(pid_file) is None


@pytest.mark.parametrize("pid", [0, 1, -1])
def test_a_pid_file_cannot_point_at_groups_or_init(pid: int, tmp_path: Path) -> None:
    from obs.stack.identity import started_at

    pid_file = tmp_path / "child.json"
    kept = {"name": "x", "pid": pid, "started": started_at(1), "argv": [], "log": "", "stop_within": 1}
    pid_file.write_text(json.dumps({**kept, "details": {}}))
    assert process.find(pid_file) is None


def test_the_log_of_the_run_before_is_kept(program: MakeProgram) -> None:
    for word in ("first", "second"):
        with pytest.raises(StackError):
            process.start(program(f"print('{word}')", endpoint=Endpoint("child", free())))
    made = program(SLEEPER)
    assert "second" in made.log.read_text()
    assert "first" in made.log.with_name("child.log.1").read_text()


def test_ctrl_c_while_waiting_leaves_nothing(program: MakeProgram, tmp_path: Path) -> None:
    pid_file = tmp_path / "child.json"
    found: list[process.Running] = []

    def interrupt(_progress: Progress) -> None:
        running = process.find(pid_file)
        if running is not None and not found:
            found.append(running)
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        process.start(
            program(SLEEPER, endpoint=Endpoint("child", free()), pid_file=pid_file), report=interrupt
        )
    assert not found[0].is_alive()
    assert not pid_file.exists()


def test_a_second_ctrl_c_does_not_cut_the_clean_up(tmp_path: Path, until: Until) -> None:
    def named(name: str, source: str, endpoint: Endpoint | None = None) -> Program:
        return Program(
            name,
            (sys.executable, "-c", textwrap.dedent(source)),
            log=tmp_path / f"{name}.log",
            endpoint=endpoint,
            pid_file=tmp_path / f"{name}.json",
            stop_within=1.0,
        )

    sleeper, deaf = named("sleeper", SLEEPER), named("deaf", DEAF, Endpoint("deaf", free()))
    seen: list[process.Running | None] = []

    def interrupt_twice(progress: Progress) -> None:
        if not seen and deaf.log.exists() and "deaf" in deaf.log.read_text():
            seen.extend(process.find(tmp_path / f"{name}.json") for name in ("sleeper", "deaf"))
            signal.raise_signal(signal.SIGINT)
        elif progress.step == "stopping deaf":
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        process.start_all([sleeper, deaf], report=interrupt_twice)
    assert [one is not None and not one.is_alive() for one in seen] == [True, True]
