"""A process is known by its number and its start, so that a recycled number means nobody."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from obs.stack import identity
from obs.stack.identity import is_alive, started_at


def test_a_living_process_keeps_its_start() -> None:
    first = started_at(os.getpid())
    assert first is not None
    assert started_at(os.getpid()) == first


def test_two_starts_under_one_number_differ() -> None:
    assert not is_alive(os.getpid(), "another boot 12345")


def test_a_process_that_ended_is_not_alive_even_before_it_is_reaped() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        started = started_at(child.pid)
        assert started is not None
        assert is_alive(child.pid, started)
        child.communicate()
        assert not is_alive(child.pid, started)


def test_a_zombie_is_not_alive() -> None:
    pid = os.posix_spawn(sys.executable, [sys.executable, "-c", ""], dict(os.environ))
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    try:
        assert started_at(pid) is None
    finally:
        os.waitpid(pid, 0)


def test_where_there_is_no_proc_ps_is_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(identity, "_PROC", tmp_path)
    first = started_at(os.getpid())
    assert first is not None
    assert started_at(os.getpid()) == first
