"""Tell one process from every other, also from a later one that was given the same number."""

from __future__ import annotations

import subprocess
from pathlib import Path

_PROC = Path("/proc")


def started_at(pid: int) -> str | None:
    """Return when process `pid` started, as an opaque text; None when there is none or it has ended.

    The text stays the same for the life of the process and differs for a later one with the same number:
    on Linux the boot id and the start in clock ticks since boot (field 22 of `/proc/PID/stat`, proc(5)),
    elsewhere what `ps` prints.
    """
    if not _PROC.joinpath("self", "stat").exists():
        return _ask_ps(pid)
    try:
        stat = _PROC.joinpath(str(pid), "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The name in field 2 may hold spaces and brackets: count from the last one.
    fields = stat.rpartition(")")[2].split()
    if len(fields) < 20 or fields[0] == "X" or (fields[0] == "Z" and not _has_other_threads(pid)):
        return None
    return f"{_boot()} {fields[19]}"


def is_alive(pid: int, started: str) -> bool:
    """Tell whether process `pid` still runs and is the one that `started` then."""
    return started_at(pid) == started


def _has_other_threads(pid: int) -> bool:
    # The state is that of the first thread, which may end before the process: its ports, its files and
    # its exit code are still to come.
    try:
        return len(list(_PROC.joinpath(str(pid), "task").iterdir())) > 1
    except OSError:
        return False


def _boot() -> str:
    try:
        return _PROC.joinpath("sys", "kernel", "random", "boot_id").read_text(encoding="utf-8").strip()
    except OSError:
        return "-"


def _ask_ps(pid: int) -> str | None:
    done = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    state, _, started = done.stdout.strip().partition(" ")
    return started.strip() if started and not state.startswith("Z") else None
