"""The stack from an installed wheel, outside any checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import time
import venv
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from obs.stack import engines, native, process
from obs.stack.ports import free, spell
from obs.stack.servers import FULL, SERVERS, SMALL

pytestmark = [pytest.mark.engines, pytest.mark.xdist_group("wheel")]

ROOT = Path(__file__).parents[2]

Obs = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel in it, and what it depends on from ours; returns its Python."""
    place = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(place)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=240)
    venv.create(place / "venv", with_pip=False, symlinks=True)
    (library,) = (place / "venv" / "lib").glob("python*/site-packages")
    (wheel,) = place.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(library)
    # The path alone: our own editable install is a .pth file in there, which is not followed from here.
    (library / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return place / "venv" / "bin" / "python"


@pytest.fixture
def obs(installed: Path, tmp_path: Path) -> Iterator[Obs]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(installed), "-m", "obs", *arguments],
            cwd=tmp_path,
            env=kept,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    yield run
    native.down(tmp_path / "state")
    process.bury()


def test_it_is_the_wheel_that_runs(installed: Path, tmp_path: Path) -> None:
    told = subprocess.run(
        [str(installed), "-c", "from obs.stack import bundle; print(bundle.root())"],
        cwd=tmp_path,
        env={},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    assert told.endswith("site-packages/obs/_bundle")
    assert str(ROOT) not in told


@pytest.mark.parametrize("servers", [SMALL, FULL], ids=["small", "full"])
def test_the_stack_comes_up_and_goes_down(obs: Obs, tmp_path: Path, servers: tuple[str, ...]) -> None:
    engines.install(("loki", "otelcol"), routes=["go"])
    chosen = [f"{spell(name, port.role)}={free()}" for name in servers for port in SERVERS[name].ports]
    options = [part for one in chosen for part in ("--port", one)]
    if servers == SMALL:
        options += [part for name in SMALL for part in ("--only", name)]

    up = obs("stack", "up", "--runtime", "native", "--dir", str(tmp_path / "state"), *options)

    assert up.returncode == 0, up.stderr
    # What else there is to know about a server stands below its line, indented.
    lines = [line.split() for line in up.stdout.splitlines() if not line.startswith(" ")]
    states = {words[0]: words[1] for words in lines}
    assert set(states) == set(servers)
    assert set(states.values()) <= {"ready", "skipped"}
    state = ("--dir", str(tmp_path / "state"))
    status = obs("stack", "status", *state)
    ends = time.monotonic() + 120
    # A server of a loaded machine may for once not answer in time whether it is ready.
    while status.returncode and time.monotonic() < ends:
        status = obs("stack", "status", *state)
    assert (status.returncode, status.stdout) == (0, up.stdout), status.stderr
    assert "ready to receive web requests" in obs("stack", "logs", "prometheus", *state).stdout
    down = obs("stack", "down", *state)
    assert (down.returncode, down.stdout) == (0, ""), down.stderr
    assert set(down.stderr.partition("stopped ")[2].strip().split(", ")) >= set(SMALL)
    reset = obs("stack", "reset", "--yes", *state)
    assert reset.returncode == 0, reset.stderr
    assert not (tmp_path / "state").exists()
