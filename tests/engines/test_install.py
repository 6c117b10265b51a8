"""Engines by their real routes: the distribution's package without root, and a build with Go."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from obs.stack import engines
from obs.stack.engine import Engine, ask_version
from obs.stack.table import ENGINES
from obs.stack.version import Version

pytestmark = pytest.mark.engines

_OBS = (sys.executable, "-m", "obs")

#: Everything is imported before root is given up: an ordinary user may not read root's interpreter.
AS_NOBODY = """
import json, os, sys
from obs.stack import engines
import encodings.idna, selectors
if os.getuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
found = engines.install(routes=["debian"])
assert os.getuid() != 0
print(json.dumps({name: [str(one.version), one.route, str(one.path)] for name, one in found.items()}))
"""


@pytest.fixture
def fresh_home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty OBS_HOME that an ordinary user may write, wherever pytest keeps its own files."""
    with tempfile.TemporaryDirectory(prefix="obs-engines-") as name:
        home = Path(name)
        home.chmod(0o777)
        monkeypatch.setenv("OBS_HOME", name)
        yield home


def test_both_kinds_of_engines_live_side_by_side(installed: Callable[[str], dict[str, Engine]]) -> None:
    for route in ("debian", "go"):
        for name, engine in installed(route).items():
            assert engine.route == route
            assert ask_version(engine.path) == engine.version >= ENGINES[name].floor
            assert engines.find(name, route) == engine


def test_go_builds_the_pinned_versions(installed: Callable[[str], dict[str, Engine]]) -> None:
    assert {name: engine.version for name, engine in installed("go").items()} == {
        "prometheus": Version(3, 14),
        "promtool": Version(3, 14),
        "alertmanager": Version(0, 31, 1),
        "amtool": Version(0, 34),
    }


def test_a_built_program_knows_no_path_of_the_machine_that_built_it(
    installed: Callable[[str], dict[str, Engine]],
) -> None:
    content = installed("go")["amtool"].path.read_bytes()
    assert str(Path(__file__).parents[2]).encode() not in content
    assert str(Path.home() / "go").encode() not in content


def test_the_package_is_unpacked_by_an_ordinary_user_without_any_package_lists(
    fresh_home: Path, tmp_path: Path
) -> None:
    lists = fresh_home / "no-lists"
    lists.mkdir()
    config = fresh_home / "apt.conf"
    # As on a machine where nobody has ever run `apt-get update`.
    config.write_text(f'Dir::State::lists "{lists}";\n')
    done = subprocess.run(
        [sys.executable, "-c", AS_NOBODY],
        env={**os.environ, "APT_CONFIG": str(config)},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
        cwd="/",
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert set(found) == set(ENGINES)
    assert {route for _, route, _ in found.values()} == {"debian"}
    assert list(lists.iterdir()) == []
    assert [path.name for path in (fresh_home / "engines").glob(".*")] == [".lock-debian"]


def test_the_system_is_left_as_it_was(fresh_home: Path) -> None:
    before = subprocess.run(["dpkg-query", "-W"], capture_output=True, check=True).stdout
    engines.install(["amtool"], routes=["debian"])
    assert subprocess.run(["dpkg-query", "-W"], capture_output=True, check=True).stdout == before
    assert not Path("/usr/share/prometheus").exists() or shutil.which("prometheus-alertmanager")


def test_an_interrupted_build_leaves_nothing_and_is_continued(fresh_home: Path, tmp_path: Path) -> None:
    with subprocess.Popen(
        [*_OBS, "stack", "install", "amtool", "--route", "go"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "INTERRUPTED_BUILD": str(tmp_path)},
    ) as install:
        _await(lambda: len(_marked(tmp_path)) > 1)
        install.send_signal(signal.SIGINT)
        output, words = install.communicate(timeout=60)
    assert (install.returncode, output) == (130, ""), words
    _await(lambda: _marked(tmp_path) == [])
    assert [path.name for path in (fresh_home / "engines").iterdir()] == [".lock-go"]

    assert engines.install(["amtool"], routes=["go"])["amtool"].version == Version(0, 34)


def _marked(mark: Path) -> list[int]:
    """Processes that have inherited the mark."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                environment = (entry / "environ").read_bytes()
            except OSError:
                continue
            if f"INTERRUPTED_BUILD={mark}".encode() in environment:
                found.append(int(entry.name))
    return found


def _await(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
