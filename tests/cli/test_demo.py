"""`obs demo` says in one message what it lacks, and starts nothing then."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.programs import write_program


def obs_demo(directory: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "obs", "demo", *options],
        cwd=directory,
        env={
            **os.environ,
            "PATH": str(directory),
            "OBS_HOME": str(directory / "home"),
            "TMPDIR": str(directory),
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_without_engines_it_could_not_check(tmp_path: Path) -> None:
    done = obs_demo(tmp_path, "--once", "--port", "auto", "--route", "path")

    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("error: could not get prometheus")
    assert "put them on PATH" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.glob("obs-demo-*"))


def test_a_taken_port_is_said_before_engines_are_looked_for(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = obs_demo(tmp_path, "--port", "auto", "--port", f"worker={port}", "--route", "path")

    assert done.returncode == 3
    assert done.stderr.startswith(f"error: worker wants port {port}")
    assert "--port worker=PORT" in done.stderr


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--port", "prometeus=1"], "did you mean 'prometheus'?"),
        (["--port", "worker=0"], "expected a port from 1 to 65535 or auto"),
        (["--route", "ftp"], "'ftp' is not one of"),
        (["--format", "xml"], "'xml' is not one of"),
    ],
)
def test_a_wrong_option_is_a_usage_error(tmp_path: Path, options: list[str], says: str) -> None:
    done = obs_demo(tmp_path, *options)

    assert done.returncode == 2
    assert says in done.stderr


def test_ctrl_c_while_engines_are_fetched_ends_the_fetching_too(tmp_path: Path) -> None:
    began = tmp_path / "began"
    for name in ("apt-get", "dpkg"):
        write_program(
            tmp_path / name,
            "import os, pathlib, time\n"
            f"part = pathlib.Path({str(began)!r} + '.part')\n"
            f"part.write_text(str(os.getpid()))\npart.rename({str(began)!r})\ntime.sleep(600)\n",
        )
    with subprocess.Popen(
        [sys.executable, "-m", "obs", "demo", "--port", "auto", "--route", "debian"],
        env={**os.environ, "PATH": str(tmp_path), "OBS_HOME": str(tmp_path / "home")},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as demo:
        deadline = time.monotonic() + 60
        while not began.exists():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        demo.send_signal(signal.SIGINT)
        _, talk = demo.communicate(timeout=60)

    assert demo.returncode == 130
    assert "Traceback" not in talk
    with pytest.raises(ProcessLookupError):
        os.kill(int(began.read_text()), 0)
