"""A fork while other threads log: the child goes on. The long run is among the engines."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

PROGRAM = Path(__file__).with_name("fork_load.py")
FORKS = 12


def test_children_of_a_process_whose_threads_log_do_not_hang(tmp_path: Path) -> None:
    out = tmp_path / "lines"
    command = [sys.executable, str(PROGRAM), str(FORKS), str(out)]
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=True)
    assert json.loads(done.stderr) == {"hung": 0, "failed": 0}
    written = [json.loads(line) for line in out.read_text().splitlines()]
    children = {line.get("who") for line in written if line["message"] == "a turn"}
    assert {f"child {number}" for number in range(FORKS)} <= children


def test_a_fork_waits_for_what_another_thread_is_importing_from_the_face() -> None:
    code = """
import os, sys, threading, time, warnings
import obs

begun = threading.Event()

class Slow:
    def find_spec(self, name, path=None, target=None):
        if name == "obs.runtime.traces":
            begun.set()
            time.sleep(0.5)

warnings.simplefilter("ignore", DeprecationWarning)
sys.meta_path.insert(0, Slow())
thread = threading.Thread(target=lambda: obs.span)
thread.start()
begun.wait()
child = os.fork()
if not child:
    obs.span
    os._exit(0)
ends = time.monotonic() + 20
while not os.waitpid(child, os.WNOHANG)[0]:
    if time.monotonic() > ends:
        os.kill(child, 9)
        os.waitpid(child, 0)
        sys.exit("the child hung")
    time.sleep(0.01)
thread.join()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
