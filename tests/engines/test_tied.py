"""What the tests have started ends with them, also where a worker of xdist is killed in the middle."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.engines import tied
from tests.engines.waiting import await_

from obs.stack.identity import is_alive, started_at

pytestmark = pytest.mark.engines

_ROOT = Path(__file__).parents[2]
_PREFIX = "obs-tied-test-"
#: A server that has another process, in a test that is killed.
_TEST = f"""
import sys
from tests.engines import tied
with tied.directory("{_PREFIX}") as place:
    print(place, flush=True)
    with tied.serving([sys.executable, "-c", sys.argv[1]]) as server:
        server.wait()
"""
_SERVER = "import os, time; os.fork(); print(os.getpid(), flush=True); time.sleep(600)"


def test_a_server_its_children_and_its_directory_go_with_a_test_that_is_killed() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _TEST, _SERVER], cwd=_ROOT, stdout=subprocess.PIPE, text=True
    ) as test:
        assert test.stdout is not None
        place, parent, child = (test.stdout.readline().strip() for _ in range(3))
        started = {int(pid): started_at(int(pid)) or "" for pid in (parent, child)}
        assert Path(place).exists()
        test.kill()
    await_(lambda: not any(is_alive(*one) for one in started.items()), "both processes are gone")
    with tied.directory(_PREFIX):
        assert not Path(place).exists()


def test_a_server_that_does_not_end_by_itself_is_ended() -> None:
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(600)"
    with tied.serving([sys.executable, "-c", deaf], within=0.2, stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        server.stdout.readline()
    server.stdout.close()
    assert server.returncode == -signal.SIGKILL
