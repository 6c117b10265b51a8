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
