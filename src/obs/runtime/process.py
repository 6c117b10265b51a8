"""What the kernel says about this process: CPU, memory, descriptors and the limits on them.

Linux's /proc and control groups (v1 and v2). Elsewhere, and where a file cannot be read, a
figure is None and its signal is simply not emitted.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

_PROC = Path("/proc")
_CGROUP = Path("/sys/fs/cgroup")
#: Control groups v1 report "no limit" as a number close to 2**63.
_UNLIMITED = 2**60
_STARTED = time.time()


class Usage(NamedTuple):
    """One reading; times in seconds, memory in bytes."""

    cpu_user: float | None = None
    cpu_system: float | None = None
    memory: float | None = None
    started: float | None = None
    open_fds: float | None = None
    max_fds: float | None = None


class Limits(NamedTuple):
    """What this process may use: CPUs, and memory in bytes."""

    cpus: float | None
    memory: float | None


def usage(pid: int = 0) -> Usage:
    """Read what the process uses now: this one, or another of the same user."""
    proc = _PROC / (str(pid) if pid else "self")
    try:
        # The command's name may hold blanks and brackets; the fields begin after the last one.
        fields = (proc / "stat").read_bytes().rpartition(b")")[2].split()
        ticks = os.sysconf("SC_CLK_TCK")
        return Usage(
            cpu_user=int(fields[11]) / ticks,
            cpu_system=int(fields[12]) / ticks,
            memory=float(int(fields[21]) * os.sysconf("SC_PAGE_SIZE")),
            started=_boot_time() + int(fields[19]) / ticks,
            open_fds=_open_fds(proc),
            max_fds=_max_fds(),
        )
    except (OSError, ValueError, IndexError):
        if pid:
            return Usage()
        times = os.times()
        return Usage(cpu_user=times.user, cpu_system=times.system, started=_STARTED)


def add_up(usages: Iterable[Usage]) -> Usage:
    """Return what several processes use together; memory that they share counts for each of them."""
    several = list(usages)

    def known(name: str) -> list[float]:
        return [number for usage in several if (number := getattr(usage, name)) is not None]

    return Usage(
        cpu_user=sum(known("cpu_user")),
        cpu_system=sum(known("cpu_system")),
        memory=sum(memory) if (memory := known("memory")) else None,
        started=min(known("started"), default=None),
        open_fds=sum(fds) if (fds := known("open_fds")) else None,
        max_fds=max(known("max_fds"), default=None),
    )


def resident_megabytes() -> float | None:
    """Return the resident memory in megabytes (10^6 bytes)."""
    memory = usage().memory
    return None if memory is None else round(memory / 1e6, 1)


def uptime() -> float:
    """Return the seconds since this process loaded obs, or started where the kernel tells."""
    return max(0.0, time.time() - (usage().started or _STARTED))


def limits(cgroup: Path = _CGROUP, proc: Path = _PROC) -> Limits:
    """Read the limits of the control group, else those of the machine."""
    groups = _group_folders(cgroup, proc)
    cpus = [quota for folder in groups if (quota := _cpu_quota(folder)) is not None]
    memory = [limit for folder in groups if (limit := _memory_limit(folder)) is not None]
    return Limits(
        cpus=min([*cpus, _usable_cpus()]),
        memory=min(
            [*memory, *([total] if (total := _machine_memory(proc)) is not None else [])], default=None
        ),
    )


def _boot_time() -> float:
    for line in (_PROC / "stat").read_text().splitlines():
        if line.startswith("btime "):
            return float(line.split()[1])
    raise ValueError("no btime")


def _open_fds(proc: Path) -> float | None:
    try:
        return float(len(os.listdir(proc / "fd")))  # noqa: PTH208 - a count, no paths needed
    except OSError:
        return None


def _max_fds() -> float | None:
    import resource

    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return None if soft == resource.RLIM_INFINITY else float(soft)


def _group_folders(cgroup: Path, proc: Path) -> list[Path]:
    """Return every folder whose limits bind us: our group and its parents, in both versions.

    Inside a container the group's own path often is not mounted, and the root folder is ours.
    """
    folders = [cgroup, cgroup / "cpu", cgroup / "memory"]
    try:
        lines = (proc / "self/cgroup").read_text().splitlines()
    except OSError:
        return folders
    for line in lines:
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        root = cgroup if number == "0" else cgroup / controllers
        inner = root / path.strip("/")
        while inner != root and root in inner.parents:
            folders.append(inner)
            inner = inner.parent
        folders.append(root)
    return list(dict.fromkeys(folders))


def _cpu_quota(folder: Path) -> float | None:
    both = _read(folder / "cpu.max").split()
    if len(both) == 2:
        quota, period = both
    else:
        quota, period = _read(folder / "cpu.cfs_quota_us"), _read(folder / "cpu.cfs_period_us")
    if not quota.isdigit() or not period.isdigit() or not int(quota) or not int(period):
        return None
    return int(quota) / int(period)


def _memory_limit(folder: Path) -> float | None:
    text = _read(folder / "memory.max") or _read(folder / "memory.limit_in_bytes")
    return float(text) if text.isdigit() and 0 < int(text) < _UNLIMITED else None


def _machine_memory(proc: Path) -> float | None:
    for line in _read(proc / "meminfo").splitlines():
        if line.startswith("MemTotal:"):
            return float(int(line.split()[1]) * 1024)
    return None


def _usable_cpus() -> float:
    if hasattr(os, "sched_getaffinity"):
        return float(len(os.sched_getaffinity(0)))
    return float(os.cpu_count() or 1)


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except (OSError, UnicodeDecodeError):
        return ""
