"""The Docker engine of these tests leaves nothing behind, however the tests end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.engines.compose import guardian

from obs.stack import bundle

#: Beside the other engine, but not while a whole stack starts on it.
pytestmark = [pytest.mark.engines, pytest.mark.xdist_group("compose")]

_WITHIN = 90.0
_START = """
import tempfile, time
from pathlib import Path
from tests.engines.compose import guardian
from tests.engines.compose.engine import running
work = Path(tempfile.mkdtemp(prefix=guardian.PREFIX))
with running(work / "engine") as docker:
    print(docker.run("network", "create", "left").strip()[:12], work, flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize("guarded", [True, False])
def test_tests_that_are_killed_leave_no_engine_bridge_mount_or_file(guarded: bool) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _START], cwd=bundle.root(), stdout=subprocess.PIPE, text=True
    ) as tests:
        assert tests.stdout is not None
        network, directory = tests.stdout.readline().split()
        work, bridge = Path(directory), Path(f"/sys/class/net/br-{network}")
        assert bridge.exists()
        assert _processes(directory)
        if not guarded:
            # As the end of a whole control group does it: the next run clears up.
            os.kill(int((work / "owner").read_text().split()[0]), signal.SIGKILL)
        tests.kill()
    deadline = time.monotonic() + _WITHIN
    while _processes(directory):
        assert time.monotonic() < deadline, _processes(directory)
        time.sleep(0.1)
    if not guarded:
        guardian.clear_stale()
    assert not work.exists()
    assert not bridge.exists()
    assert directory not in Path("/proc/mounts").read_text()
    assert not list(Path("/sys/fs/cgroup").glob(f"**/{work.name}"))


def _processes(directory: str) -> list[str]:
    """Return the command lines that name the engine's directory."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = file.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if directory in line:
            found.append(line)
    return found
