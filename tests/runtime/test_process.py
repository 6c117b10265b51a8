"""What the kernel says of the process, and the limits of control groups in both versions."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from obs.runtime import process


def test_usage_agrees_with_the_interpreters_own_counts() -> None:
    used = process.usage()
    times = os.times()
    assert used.cpu_user is not None
    assert used.cpu_user == pytest.approx(times.user, abs=0.2)
    assert used.memory is not None
    assert 1_000_000 < used.memory < 10_000_000_000
    assert used.open_fds is not None
    assert used.open_fds >= 3
    assert process.uptime() >= 0


def test_a_group_without_limits_leaves_those_of_the_machine(tmp_path: Path) -> None:
    limits = process.limits(tmp_path, Path("/proc"))
    assert limits.cpus == len(os.sched_getaffinity(0))
    assert limits.memory is not None
    assert limits.memory > 0


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    folder = tmp_path / "proc"
    (folder / "self").mkdir(parents=True)
    (folder / "meminfo").write_text("MemTotal:       8000000 kB\nMemFree: 1 kB\n")
    return folder


def test_version_two_limits_are_read_and_a_parents_tighter_one_wins(tmp_path: Path, proc: Path) -> None:
    (proc / "self/cgroup").write_text("0::/kube/pod\n")
    pod = tmp_path / "cg/kube/pod"
    pod.mkdir(parents=True)
    (pod / "cpu.max").write_text("150000 100000\n")
    (pod / "memory.max").write_text("max\n")
    (pod.parent / "cpu.max").write_text("50000 100000\n")
    (pod.parent / "memory.max").write_text("1000000\n")
    assert process.limits(tmp_path / "cg", proc) == process.Limits(cpus=0.5, memory=1_000_000)


def test_version_one_limits_are_read(tmp_path: Path, proc: Path) -> None:
    (proc / "self/cgroup").write_text("4:memory:/box\n3:cpu,cpuacct:/box\n")
    memory, cpu = tmp_path / "cg/memory/box", tmp_path / "cg/cpu,cpuacct/box"
    memory.mkdir(parents=True)
    cpu.mkdir(parents=True)
    (memory / "memory.limit_in_bytes").write_text("9223372036854771712\n")
    (memory.parent / "memory.limit_in_bytes").write_text("2000000\n")
    (cpu / "cpu.cfs_quota_us").write_text("25000\n")
    (cpu / "cpu.cfs_period_us").write_text("100000\n")
    assert process.limits(tmp_path / "cg", proc) == process.Limits(cpus=0.25, memory=2_000_000)


def test_an_unlimited_quota_is_no_limit(tmp_path: Path, proc: Path) -> None:
    (tmp_path / "cg").mkdir()
    (tmp_path / "cg/cpu.max").write_text("max 100000\n")
    assert process.limits(tmp_path / "cg", proc).cpus == len(os.sched_getaffinity(0))
    assert process.limits(tmp_path / "cg", proc).memory == 8_192_000_000
