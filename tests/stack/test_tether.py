"""A tied child dies with the program that started it, however that goes; an untied one lives on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from obs.stack import process, tether
from obs.stack.process import Program, Running

Until = Callable[[Callable[[], bool]], None]

STARTER = """
import sys, time
from pathlib import Path
from obs.stack import process
from obs.stack.process import Program
place = Path(sys.argv[1])
for name in ("one", "two"):
    process.start(
        Program(
            name, (sys.executable, "-c", "import time; time.sleep(600)"),
            log=place / f"{name}.log", pid_file=place / f"{name}.json",
        ),
        tied=sys.argv[2] == "tied",
    )
print("started", flush=True)
time.sleep(600)
"""


@contextmanager
def _starter(place: Path, how: str) -> Iterator[tuple[subprocess.Popen[str], list[Running]]]:
    with subprocess.Popen(
        [sys.executable, "-c", STARTER, str(place), how], stdout=subprocess.PIPE, text=True
    ) as starter:
        assert starter.stdout is not None
        try:
            assert starter.stdout.readline() == "started\n"
            children = [process.find(place / f"{name}.json") for name in ("one", "two")]
            yield starter, [child for child in children if child is not None]
        finally:
            starter.kill()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_tied_children_end_with_their_program(number: int, tmp_path: Path, until: Until) -> None:
    with _starter(tmp_path, "tied") as (starter, children):
        assert len(children) == 2
        starter.send_signal(number)
        until(lambda: not any(child.is_alive() for child in children))


def test_untied_children_survive_their_program(tmp_path: Path) -> None:
    with _starter(tmp_path, "untied") as (starter, children):
        starter.kill()
        starter.wait()
        try:
            assert all(child.is_alive() for child in children)
            assert len(children) == 2
        finally:
            for child in children:
                process.stop(child)
    assert not any(child.is_alive() for child in children)


def test_the_watchdog_leaves_with_the_last_child(tmp_path: Path) -> None:
    sleeper = (sys.executable, "-c", "import time; time.sleep(600)")
    running = process.start(Program("one", sleeper, log=tmp_path / "one.log"))
    watchdog = tether._watchdog
    assert watchdog is not None
    assert watchdog.poll() is None

    process.stop(running)

    assert watchdog.poll() is not None
    assert tether._watchdog is None


def test_a_watchdog_that_was_killed_is_replaced_with_all_its_charges(tmp_path: Path, until: Until) -> None:
    code = STARTER.replace(
        'print("started", flush=True)',
        """
from obs.stack import tether
tether._watchdog.kill()
tether._watchdog.wait()
process.start(Program("three", (sys.executable, "-c", "import time; time.sleep(600)"), log=place / "3.log"))
print("started", flush=True)
""",
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path), "tied"], stdout=subprocess.PIPE, text=True
    ) as starter:
        assert starter.stdout is not None
        assert starter.stdout.readline() == "started\n"
        first = process.find(tmp_path / "one.json")
        assert first is not None
        starter.kill()
        until(lambda: not first.is_alive())


def test_a_recycled_number_is_spared_by_the_watchdog() -> None:
    from obs.stack.watchdog import end_all

    with subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True
    ) as other:
        end_all({other.pid: "an earlier boot 123"})
        assert other.poll() is None
        other.communicate(b"\n")
    assert other.returncode == 0


def test_untying_a_stranger_is_no_error() -> None:
    tether.untie(os.getpid())
