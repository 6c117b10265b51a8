"""A state directory as another user of the machine meets it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from obs.stack import state

STRANGER = """
import os, sys
from pathlib import Path
from obs.errors import StackError
from obs.stack import native
directory = Path(sys.argv[1])
if os.getuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
for look in (native.status, native.down, native.is_state, lambda place: native.logs(place, "prometheus")):
    try:
        look(directory)
        print("nothing was said")
    except StackError as error:
        print(error.message)
"""


def test_a_stack_that_may_not_be_looked_at_is_not_taken_for_none(tmp_path: Path) -> None:
    directory = tmp_path / "stack"
    with state.locked(directory):
        pass
    directory.chmod(0)
    try:
        done = subprocess.run(
            [sys.executable, "-c", STRANGER, str(directory)],
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        directory.chmod(0o700)
    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == 4
    assert all(line.startswith("cannot") for line in done.stdout.splitlines()), done.stdout
