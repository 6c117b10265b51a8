"""Three hundred forks while other threads log, to the stream alone and to a collector as well: none hangs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.engines

PROGRAM = Path(__file__).parents[1] / "runtime" / "fork_load.py"
FORKS = 300


@pytest.mark.parametrize("exported", [False, True], ids=["stream", "stream and collector"])
def test_none_of_300_children_hangs(exported: bool, collector: Any, tmp_path: Path) -> None:
    out = tmp_path / "lines"
    command = [sys.executable, str(PROGRAM), str(FORKS), str(out), *([collector.url] if exported else [])]
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=True)
    assert json.loads(done.stderr.splitlines()[-1]) == {"hung": 0, "failed": 0}
    with out.open() as lines:
        children = {line.get("who") for line in map(json.loads, lines) if line["message"] == "a turn"}
    assert {f"child {number}" for number in range(FORKS)} <= children
    if exported:
        assert collector.logs
