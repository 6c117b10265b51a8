"""The cache: an entry is whole or absent, several versions live side by side, installs do not collide."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from obs.errors import StackError
from obs.stack import cache, table
from obs.stack.progress import Progress
from obs.stack.table import ENGINES
from obs.stack.version import Version

PROMTOOL = ENGINES["promtool"]
Until = Callable[[Callable[[], bool]], None]


def _made(work: Path, version: str) -> Path:
    program = work / "promtool"
    program.write_text(f"#!/bin/sh\necho 'promtool, version {version} (branch: x)'\n")
    return program


def _install(version: str, route: str) -> None:
    with cache.workspace(route) as work:
        cache.adopt(PROMTOOL, _made(work, version), route)


def test_an_empty_cache_has_nothing() -> None:
    assert cache.cached("promtool") == []


def test_versions_and_routes_live_side_by_side_newest_first() -> None:
    _install("2.42.0", "debian")
    _install("3.14.0", "go")
    _install("3.9.0", "download")
    found = cache.cached("promtool")
    assert [(str(engine.version), engine.route) for engine in found] == [
        ("3.14.0", "go"),
        ("3.9.0", "download"),
        ("2.42.0", "debian"),
    ]
    assert [engine.version for engine in cache.cached("promtool", "debian")] == [Version(2, 42)]
    assert found[0].path.read_text().startswith("#!/bin/sh")


def test_shared_files_come_along(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "default.tmpl").write_text("x")
    with cache.workspace("debian") as work:
        cache.adopt(PROMTOOL, _made(work, "2.42.0"), "debian", tmp_path / "files")
    shared = cache.cached("promtool")[0].shared
    assert shared is not None
    assert (shared / "default.tmpl").read_text() == "x"


def test_a_version_below_the_floor_is_not_adopted() -> None:
    with cache.workspace("debian") as work:
        program = _made(work, "2.41.9")
        with pytest.raises(StackError, match=r"promtool is 2\.41\.9, expected at least 2\.42\.0"):
            cache.adopt(PROMTOOL, program, "debian")
    assert cache.cached("promtool") == []


def test_a_program_that_does_not_run_is_not_adopted() -> None:
    with cache.workspace("debian") as work:
        program = work / "promtool"
        program.write_text("#!/no/such/interpreter\n")
        with pytest.raises(StackError, match="does not start"):
            cache.adopt(PROMTOOL, program, "debian")
    assert cache.cached("promtool") == []


def test_installing_again_changes_nothing() -> None:
    _install("3.14.0", "go")
    _install("3.14.0", "go")
    assert len(cache.cached("promtool")) == 1


def test_a_broken_entry_is_replaced() -> None:
    _install("3.14.0", "go")
    cache.cached("promtool")[0].path.unlink()
    assert cache.cached("promtool") == []
    _install("3.14.0", "go")
    assert len(cache.cached("promtool")) == 1


def test_an_entry_that_was_cut_short_is_replaced() -> None:
    _install("3.14.0", "go")
    program = cache.cached("promtool")[0].path
    whole = program.read_text()
    program.write_text("")
    _install("3.14.0", "go")
    assert program.read_text() == whole


def test_a_directory_in_the_place_of_the_program_is_replaced() -> None:
    _install("3.14.0", "go")
    program = cache.cached("promtool")[0].path
    program.unlink()
    program.mkdir()
    _install("3.14.0", "go")
    assert program.is_file()


def test_what_was_put_together_of_other_parts_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    _install("3.14.0", "go")
    _install("3.14.0", "download")
    changed = replace(PROMTOOL, go_build=2)
    monkeypatch.setattr(table, "ENGINES", {"promtool": changed})
    assert [engine.route for engine in cache.cached("promtool")] == ["download"]
    _install("3.14.0", "go")
    assert {engine.route for engine in cache.cached("promtool")} == {"download", "go"}
    monkeypatch.setattr(table, "ENGINES", {"promtool": PROMTOOL})
    assert {engine.route for engine in cache.cached("promtool")} == {"download", "go"}


def test_a_failed_install_leaves_nothing(obs_home: Path) -> None:
    with pytest.raises(StackError), cache.workspace("go") as work:
        cache.adopt(PROMTOOL, _made(work, "1.0.0"), "go")
    assert [path.name for path in (obs_home / "engines").iterdir()] == [".lock-go"]


KILLED = """
import os, signal
from obs.stack import cache, table
with cache.workspace("go") as work:
    (work / "half").write_text("x")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_install_left_is_removed_by_the_next(obs_home: Path) -> None:
    subprocess.run([sys.executable, "-c", KILLED], check=False, timeout=60)
    assert len(list((obs_home / "engines").glob(".partial-go-*/half"))) == 1

    _install("3.14.0", "go")

    assert list((obs_home / "engines").glob(".partial-*")) == []


def test_parallel_installs_by_one_route_wait_for_each_other(until: Until) -> None:
    waiting: list[Progress] = []
    entered = threading.Event()

    def second() -> None:
        with cache.workspace("go", waiting.append):
            entered.set()

    thread = threading.Thread(target=second)
    with cache.workspace("go"):
        thread.start()
        until(lambda: len(waiting) > 0)
        assert "waiting for another install by go" in waiting[0].step
        assert not entered.is_set()
        with cache.workspace("debian"):
            """Another route needs not wait."""
    thread.join()
    assert entered.is_set()


def test_a_cache_that_cannot_be_written_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("OBS_HOME", str(tmp_path / "file"))
    with pytest.raises(StackError, match="set OBS_HOME"), cache.workspace("go"):
        pass
