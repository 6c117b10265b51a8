"""PostgreSQL and Redis by the route they come: Debian's packages, unpacked by anybody, nothing installed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from obs.errors import ConfigError
from obs.stack import databases
from obs.stack.engine import ask_version
from obs.stack.version import Version

pytestmark = pytest.mark.engines

#: Everything is imported before root is given up: an ordinary user may not read root's interpreter.
AS_NOBODY = """
import json, os
from obs.stack import databases
import encodings.idna, selectors
if os.getuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
found = databases.install()
assert os.getuid() != 0
print(json.dumps({name: [str(one.version), one.route, str(one.path)] for name, one in found.items()}))
"""


@pytest.fixture
def fresh_home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty OBS_HOME that an ordinary user may write, wherever pytest keeps its own files."""
    with tempfile.TemporaryDirectory(prefix="obs-databases-") as name:
        home = Path(name)
        home.chmod(0o777)
        monkeypatch.setenv("OBS_HOME", name)
        yield home


def test_an_ordinary_user_unpacks_both_and_leaves_the_system_as_it_was(fresh_home: Path) -> None:
    before = subprocess.run(["dpkg-query", "-W"], capture_output=True, check=True).stdout
    done = subprocess.run(
        [sys.executable, "-c", AS_NOBODY], capture_output=True, text=True, check=False, timeout=600, cwd="/"
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert set(found) == set(databases.DATABASES)
    assert {route for _, route, _ in found.values()} == {"debian"}
    for name, (version, _, path) in found.items():
        assert str(ask_version(Path(path))) == version
        engine = databases.find(name)
        assert engine is not None
        assert (engine.path, engine.version >= Version(6, 0)) == (Path(path), True)
    assert os.access(Path(found["postgres"][2]).parent / "initdb", os.X_OK)
    assert subprocess.run(["dpkg-query", "-W"], capture_output=True, check=True).stdout == before


def test_where_a_library_is_missing_it_is_taken_along(
    fresh_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(databases, "_is_installed", lambda package: False)
    engine = databases.install(["redis-server"])["redis-server"]
    taken = {path.name.partition(".so")[0] for path in engine.path.parent.rglob("*.so.*")}
    assert {"libssl", "libjemalloc", "libsystemd"} <= taken
    # The C library must be the one that the machine's own loader belongs to.
    assert "libc" not in taken


def test_another_route_is_refused() -> None:
    with pytest.raises(ConfigError, match="expected debian"):
        databases.install(["redis-server"], routes=["go"])
    with pytest.raises(ConfigError, match="no server is called 'redis'"):
        databases.find("redis")
