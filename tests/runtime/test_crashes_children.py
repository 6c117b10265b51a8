"""An exception that ends a child of multiprocessing: told by that child as that of a main thread is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.runtime.sentry_receiver import Receiver

_PROGRAM = """
import atexit, multiprocessing, os, sys
import obs

METHOD, WHERE, END = os.environ["METHOD"], os.environ["WHERE"], os.environ["END"]

def start():
    obs.init("shop", traces=False)

class Own(multiprocessing.get_context(METHOD).Process):
    def run(self):
        work()

def work():
    if WHERE == "target":
        start()
    if END == "handled":
        try:
            raise ValueError("handled")
        except ValueError:
            return
    if END == "exit":
        sys.exit(3)
    if END == "nothing":
        return
    if END == "captured":
        try:
            raise ValueError("token=hunter2x")
        except ValueError as error:
            obs.capture(error)
            raise
    raise {"interrupt": KeyboardInterrupt}.get(END, ValueError)("token=hunter2x")

def counted():
    from obs.runtime import endpoints
    from obs.runtime.metrics import scrape

    body = scrape.answer(endpoints._metrics, "", "").body.decode()
    return [line for line in body.splitlines() if line.startswith('exceptions_unhandled_total{mechanism="main"}')]

if WHERE in {"module", "preloaded"}:
    start()

if __name__ == "__main__":
    if WHERE == "target":
        start()
    context = multiprocessing.get_context(METHOD)
    if WHERE == "preloaded":
        context.set_forkserver_preload(["preload"])
    child = Own(name="counting") if END == "subclass" else context.Process(target=work, name="counting")
    try:
        raise LookupError("handled by the parent")
    except LookupError:
        # A forked child begins on the stack of its parent, in the middle of this.
        child.start()
    child.join()
    print("code", child.exitcode, *counted(), file=sys.stderr)
"""

#: What a fork server of newer Pythons does by itself: it imports the main module, once for all of its children.
_PRELOAD = """
import os
from multiprocessing import process, spawn

process.current_process()._inheriting = True
try:
    spawn.import_main_path(os.environ["MAIN"])
finally:
    del process.current_process()._inheriting
"""

_METHODS = ("fork", "spawn", "forkserver")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    yield found
    found.close()


def _run(
    folder: Path, method: str, where: str, end: str = "raised", **settings: str
) -> tuple[list[dict[str, Any]], list[str]]:
    """Let a child end as asked; return the lines of both processes, and what they wrote on standard error."""
    program = folder / "program.py"
    program.write_text(_PROGRAM)
    (folder / "preload.py").write_text(_PRELOAD)
    kept = {
        name: text for name, text in os.environ.items() if not name.startswith(("OBS_", "OTEL_", "SENTRY_"))
    }
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(program)],
        env={**kept, "METHOD": method, "WHERE": where, "END": end, "MAIN": str(program), "PYTHONPATH": os.pathsep.join([str(folder), *sys.path]), "OBS_METRICS_DIR": str(folder / "metrics"), **settings},
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()], done.stderr.splitlines()


@pytest.mark.parametrize(
    ("method", "where"),
    [
        *((method, where) for method in _METHODS for where in ("module", "target")),
        ("forkserver", "preloaded"),
    ],
)
def test_an_exception_that_ends_a_child_is_a_line_a_count_and_an_event(
    tmp_path: Path, receiver: Receiver, method: str, where: str
) -> None:
    (line,), errors = _run(tmp_path, method, where, OBS_SENTRY_DSN=receiver.dsn)

    assert (line["level"], line["event"], line["process"]) == ("error", "exception.main", "counting")
    assert "in work" in line["exception"]
    assert "hunter2x" not in line["exception"]
    (event,) = receiver.events
    assert event["exception"]["values"][-1]["type"] == "ValueError"
    assert event["tags"]["mechanism"] == "main"
    # The standard library has told it as ever, and the scrape of the parent knows the count.
    assert errors[0] == "Process counting:"
    assert errors[1] == "Traceback (most recent call last):"
    assert errors[-2] == "ValueError: token=hunter2x"
    told = 'exceptions_unhandled_total{mechanism="main"}'
    assert errors[-1] == f"code 1 {told} 1.0"


def test_a_process_class_of_the_hosts_own_is_no_different(tmp_path: Path) -> None:
    (line,), errors = _run(tmp_path, "fork", "module", "subclass")

    assert (line["event"], line["process"]) == ("exception.main", "counting")
    assert errors[-1] == 'code 1 exceptions_unhandled_total{mechanism="main"} 1.0'


@pytest.mark.parametrize(("end", "code"), [("nothing", 0), ("handled", 0), ("exit", 3), ("interrupt", 1)])
def test_a_child_that_ends_in_another_way_is_no_crash(tmp_path: Path, end: str, code: int) -> None:
    written, errors = _run(tmp_path, "fork", "module", end)

    assert written == []
    assert errors[-1] == f'code {code} exceptions_unhandled_total{{mechanism="main"}} 0.0'


def test_an_exception_that_has_its_line_is_counted_and_told_no_second_time(tmp_path: Path) -> None:
    (line,), errors = _run(tmp_path, "fork", "module", "captured")

    assert line["event"] == "exception.captured"
    assert errors[-1] == 'code 1 exceptions_unhandled_total{mechanism="main"} 1.0'
