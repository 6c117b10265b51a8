"""Real processes to test process handling with: small programs in the place of the engines."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.programs import write_program

from obs.stack.process import Program

#: Speaks as much of an engine as the native runtime asks for: `--version`, checks, a port, readiness.
FAKE_ENGINE = """\
import http.server, os, pathlib, signal, sys

name = pathlib.Path(sys.argv[0]).name
if "--version" in sys.argv:
    print(f"{name}, version VERSION (branch: none)")
    raise SystemExit
if "check" in sys.argv or "check-config" in sys.argv:
    text = pathlib.Path(sys.argv[-1]).read_text()
    if "REFUSE" in text:
        print("line 7: not like this")
        raise SystemExit(1)
    raise SystemExit
if (pathlib.Path.cwd() / "data" / "crash").exists():
    print("first words")
    print("the disk is on fire", file=sys.stderr)
    raise SystemExit(7)
options = dict(argument.lstrip("-").split("=", 1) for argument in sys.argv[1:])
host, _, port = options["web.listen-address"].partition(":")


class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        never = (pathlib.Path.cwd() / "data" / "never-ready").exists()
        self.send_response(503 if never else 200 if self.path == "/-/ready" else 404)
        self.end_headers()

    def log_message(self, *_):
        pass


signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
print(f"{name} listens", flush=True)
http.server.ThreadingHTTPServer((host, int(port)), Answer).serve_forever()
"""


@pytest.fixture(autouse=True)
def obs_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of the test's own, so that no test sees the engines of this machine."""
    home = tmp_path / "obs-home"
    monkeypatch.setenv("OBS_HOME", str(home))
    for name in ("OBS_RELEASE_URL", "OBS_TEMPO", "OBS_GRAFANA"):
        monkeypatch.delenv(name, raising=False)
    return home


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty directory that is all of PATH."""
    directory = tmp_path / "programs"
    directory.mkdir()
    monkeypatch.setenv("PATH", str(directory))
    return directory


@pytest.fixture
def fake_engines(programs: Path) -> Path:
    """All four engines on PATH, as programs that behave like them towards the native runtime."""
    versions = {"prometheus": "3.1.0", "promtool": "3.1.0", "alertmanager": "0.28.0", "amtool": "0.28.0"}
    for name, version in versions.items():
        write_program(programs / name, FAKE_ENGINE.replace("VERSION", version))
    return programs


@pytest.fixture
def make_program() -> Callable[[Path, str], Path]:
    """`write_program`, for test files that cannot import from here."""
    return write_program


MakeProgram = Callable[..., Program]


@pytest.fixture
def program(tmp_path: Path) -> MakeProgram:
    """Make a `Program` from Python source."""

    def make(source: str, **options: object) -> Program:
        path = write_program(tmp_path / "child.py", source)
        return Program("child", (sys.executable, str(path)), log=tmp_path / "log" / "child.log", **options)  # type: ignore[arg-type]

    return make


def wait_until(condition: Callable[[], bool], *, within: float = 120.0) -> None:
    """Wait for something that must happen; the limit only ends a test that has failed already."""
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


@pytest.fixture
def until() -> Callable[[Callable[[], bool]], None]:
    """`wait_until`, for test files that cannot import from here."""
    return wait_until


def group_members(group: int) -> list[int]:
    """Processes of a group that are not zombies."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[2]) == group and fields[0] != "Z":
                found.append(int(entry.name))
    return found


@pytest.fixture
def members() -> Callable[[int], list[int]]:
    """`group_members`, for test files that cannot import from here."""
    return group_members


@pytest.fixture
def plain_environment() -> dict[str, str]:
    """This environment, for children."""
    return dict(os.environ)
