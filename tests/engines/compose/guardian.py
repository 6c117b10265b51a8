"""The owner of one Docker engine of the tests: it ends the engine when the tests end, however they do.

``python -m tests.engines.compose.guardian DIRECTORY COMMAND...`` runs COMMAND as the first process of a PID namespace,
so that the end of the engine is the end of containerd, of every shim, proxy and container, and in a mount namespace,
which takes their mounts along. Its standard input is a pipe that only the tests hold: when that ends, so does all of it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from obs.stack.identity import is_alive, started_at

#: Every directory of an engine begins so; beside the engine lies a file that tells its owner.
PREFIX = "obs-compose-"
_OWNER = "owner"

#: An engine dies with its guardian as well, whatever ends that.
_ALONE = (
    "setpriv",
    "--pdeathsig",
    "KILL",
    "unshare",
    "--pid",
    "--fork",
    "--kill-child",
    "--mount",
    "--mount-proc",
)

_GONE_WITHIN = 30.0
# linux/sockios.h and linux/if.h
_SIOCSIFFLAGS, _SIOCBRDELBR = 0x8914, 0x89A1


def main() -> None:
    """Run the engine until the tests are gone, then leave nothing of it."""
    directory, command = Path(sys.argv[1]), sys.argv[2:]
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # Whoever stops the group of the tests means the tests: we go when they have gone.
        signal.signal(number, signal.SIG_IGN)
    claim(directory)
    with (directory / "dockerd.log").open("wb") as log:
        engine = subprocess.Popen(
            [*_ALONE, *command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    while not select.select([sys.stdin], [], [], 0.2)[0]:
        if engine.poll() is not None:
            (directory / "ended").write_text(str(engine.returncode))
    _end(engine)
    clear(directory)


def claim(directory: Path) -> None:
    """Write down that this process looks after the engine in `directory`."""
    directory.with_name(_OWNER).write_text(f"{os.getpid()} {started_at(os.getpid())}")


def clear_stale() -> None:
    """Remove what engines whose owners are gone have left on this machine, by their own files only."""
    for marker in Path(tempfile.gettempdir()).glob(f"{PREFIX}*/{_OWNER}"):
        with contextlib.suppress(OSError, ValueError):
            pid, _, started = marker.read_text().partition(" ")
            if not is_alive(int(pid), started):
                clear(marker.with_name("engine"))


def clear(directory: Path) -> None:
    """Remove the bridges, the mounts, the control groups and the files of an engine that has ended."""
    for bridge in _bridges(directory):
        with contextlib.suppress(OSError):
            _remove_bridge(bridge)
    mounted = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    inside = [one for one in mounted if one == str(directory) or one.startswith(f"{directory}/")]
    for place in sorted(inside, reverse=True):
        subprocess.run(["umount", "--lazy", place], check=False, capture_output=True)
    for group in Path("/sys/fs/cgroup").glob(f"**/{directory.parent.name}"):
        for inner in sorted((path for path in group.rglob("*") if path.is_dir()), reverse=True):
            with contextlib.suppress(OSError):
                inner.rmdir()
        with contextlib.suppress(OSError):
            group.rmdir()
    shutil.rmtree(directory.parent, ignore_errors=True)


def _end(engine: subprocess.Popen[bytes]) -> None:
    # The first process of a namespace is waited for only after all others in it are gone.
    children = Path(f"/proc/{engine.pid}/task/{engine.pid}/children")
    with contextlib.suppress(OSError):
        for pid in children.read_text().split():
            os.kill(int(pid), signal.SIGKILL)
    deadline = time.monotonic() + _GONE_WITHIN
    while engine.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    engine.kill()
    engine.wait()


def _bridges(directory: Path) -> list[str]:
    """Return the bridges of this machine that the engine made: it wrote down the whole id of each network."""
    here = [
        path.name for path in Path("/sys/class/net").iterdir() if re.fullmatch(r"br-[0-9a-f]{12}", path.name)
    ]
    try:
        known = (directory / "data/network/files/local-kv.db").read_bytes()
    except OSError:
        return []
    return [name for name in here if name.removeprefix("br-").encode() in known]


def _remove_bridge(name: str) -> None:
    # A minimal machine has no `ip`.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as anything:
        fcntl.ioctl(anything, _SIOCSIFFLAGS, struct.pack("16sh14x", name.encode(), 0))
        fcntl.ioctl(anything, _SIOCBRDELBR, name.encode() + b"\0")


if __name__ == "__main__":
    main()
