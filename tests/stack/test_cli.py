"""`obs stack` as a person runs it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.programs import write_program

from obs.stack.identity import started_at
from obs.stack.ports import free

Obs = Callable[..., "subprocess.CompletedProcess[str]"]
Until = Callable[[Callable[[], bool]], None]


@pytest.fixture
def obs(fake_engines: Path, tmp_path: Path) -> Iterator[Obs]:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "obs", "stack", *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            cwd=tmp_path,
        )

    yield run
    run("down")


def _small() -> list[str]:
    return [
        "--only",
        "prometheus",
        "--only",
        "alertmanager",
        "--port",
        f"prometheus={free()}",
        "--port",
        f"alertmanager={free()}",
    ]


def test_from_install_to_down(obs: Obs, obs_home: Path) -> None:
    small = _small()
    installed = obs("install", "prometheus", "promtool", "alertmanager", "amtool", "--format", "json")
    assert {row["name"]: row["route"] for row in json.loads(installed.stdout)} == dict.fromkeys(
        ("prometheus", "promtool", "alertmanager", "amtool"), "path"
    )

    up = obs("up", "--runtime", "native", *small)
    assert up.returncode == 0, up.stderr
    assert "prometheus    ready     http://127.0.0.1:" in up.stdout

    again = obs("up", "--runtime", "native", *small)
    assert again.returncode == 0
    assert again.stderr == "prometheus is already running\nalertmanager is already running\n"
    assert again.stdout == up.stdout

    status = obs("status", "--format", "json")
    assert status.returncode == 0
    assert [row["state"] for row in json.loads(status.stdout)] == ["ready", "ready"]

    assert obs("logs", "alertmanager", "--lines", "1").stdout == "alertmanager listens\n"

    down = obs("down", "--purge")
    removed = f"removed all data of {obs_home / 'stack'}\n"
    assert (down.returncode, down.stderr) == (0, f"stopped prometheus, alertmanager\n{removed}")
    nothing = f"nothing was running in {obs_home / 'stack'}\n"
    assert (obs("down").returncode, obs("down").stderr) == (0, nothing)
    assert not (obs_home / "stack").exists()


def test_without_a_name_engines_are_as_new_as_the_whole_stack_needs_them(obs: Obs) -> None:
    everything = obs("install", "--route", "path")
    assert everything.returncode == 3
    assert "path of prometheus: " in everything.stderr
    assert "is 3.1.0, expected at least 3.14.0" in everything.stderr
    assert obs("install", "prometheus").returncode == 0


def test_reset_tells_what_it_has_removed(obs: Obs, tmp_path: Path) -> None:
    place = tmp_path / "a b"
    assert obs("up", "--runtime", "native", "--dir", str(place), *_small()).returncode == 0
    other = obs("up", "--dir", str(place), "--only", "prometheus", "--scrape-interval", "7s")
    assert other.returncode == 3
    assert f"obs stack down --dir '{place}')" in other.stderr
    assert obs("down", "--dir", str(place)).returncode == 0

    reset = obs("reset", "--yes", "--dir", str(place))
    assert (reset.returncode, reset.stderr) == (
        0,
        f"nothing was running in {place}\nremoved all data of {place}\n",
    )
    again = obs("reset", "--yes", "--dir", str(place))
    assert (again.returncode, again.stderr) == (0, f"there is no stack in {place}: nothing was removed\n")


def test_sigterm_during_up_leaves_nothing_running(obs: Obs, obs_home: Path, until: Until) -> None:
    never = obs_home / "stack" / "prometheus" / "data" / "never-ready"
    never.parent.mkdir(parents=True)
    never.touch()
    run = obs_home / "stack" / "run"
    with subprocess.Popen(
        [sys.executable, "-m", "obs", "stack", "up", "--runtime", "native", *_small()],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as up:
        until(
            lambda: {file.name for file in run.glob("[!.]*.json")} == {"prometheus.json", "alertmanager.json"}
        )
        up.terminate()
        _, talk = up.communicate(timeout=60)
    assert up.returncode == 143
    assert "Traceback" not in talk
    assert obs("status").stdout.splitlines() == ["prometheus    stopped", "alertmanager  stopped"]


def test_status_tells_who_died_who_hangs_and_what_to_do(obs: Obs, tmp_path: Path, until: Until) -> None:
    place = tmp_path / "state"
    up = obs("up", "--dir", str(place), "--format", "json", *_small())
    pids = {row["name"]: row["pid"] for row in json.loads(up.stdout)}
    (place / "prometheus" / "data").mkdir(exist_ok=True)
    (place / "prometheus" / "data" / "never-ready").touch()
    os.kill(pids["alertmanager"], signal.SIGKILL)
    until(lambda: started_at(pids["alertmanager"]) is None)

    status = obs("status", "--dir", str(place))

    assert status.returncode == 1
    assert f"alertmanager  stopped   died, it was process {pids['alertmanager']}\n" in status.stdout
    again = "`obs stack up` with the options of its start starts it again"
    assert status.stderr.splitlines() == [
        f"prometheus runs and does not say that it is ready: obs stack logs prometheus --dir {place}",
        f"alertmanager died; its last words: obs stack logs alertmanager --dir {place}; {again}",
    ]
    assert obs("down", "--dir", str(place)).stderr == "stopped prometheus\n"
    stopped = obs("status", "--dir", str(place))
    assert stopped.stdout.splitlines() == ["prometheus    stopped", "alertmanager  stopped"]
    assert stopped.stderr.startswith(f"nothing runs in {place}: obs stack up --dir {place}")


def test_status_of_a_stopped_stack_is_a_finding(obs: Obs) -> None:
    status = obs("status")
    assert status.returncode == 1
    assert status.stdout.splitlines()[:2] == ["prometheus    stopped", "alertmanager  stopped"]
    assert {line.split()[1] for line in status.stdout.splitlines()} == {"stopped"}


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("up", "--port", "9090"), 2, "expected NAME=PORT"),
        (("up", "--port", "promtheus=1"), 2, "did you mean 'prometheus'"),
        (("up", "--rules", "nowhere"), 2, "nowhere: no such rule file"),
        (("up", "--scrape-interval", "often"), 2, "expected a duration"),
        (("install", "promtol"), 2, "did you mean 'promtool'"),
        (("install", "--route", "debian"), 3, "no apt-get on this machine"),
        (("logs", "prometheus"), 3, "never started here"),
    ],
)
def test_mistakes_are_said_in_a_sentence(obs: Obs, arguments: tuple[str, ...], code: int, words: str) -> None:
    done = obs(*arguments)
    assert done.returncode == code
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_what_is_missing_is_said_in_one_line(obs: Obs, tmp_path: Path) -> None:
    only = ("--only", "runbooks", "--only", "tempo", "--only", "grafana", "--port", f"runbooks={free()}")
    up = obs("up", "--dir", str(tmp_path / "state"), *only)
    assert up.returncode == 0, up.stderr
    lines = [line for line in up.stdout.splitlines() if not line.startswith("runbooks")]
    assert lines == [
        "tempo         skipped   missing: obs stack install tempo, or OBS_TEMPO=FILE",
        "grafana       skipped   missing: obs stack install grafana, or OBS_GRAFANA=FILE",
    ]
    assert obs("status", "--dir", str(tmp_path / "state")).returncode == 0
    obs("down", "--dir", str(tmp_path / "state"))


def test_a_slow_step_is_shown_on_standard_error(obs: Obs, fake_engines: Path) -> None:
    (fake_engines / "promtool").unlink()
    slow = "import time\ntime.sleep(1.7)\nprint('E: no')\nraise SystemExit(100)\n"
    write_program(fake_engines / "apt-get", slow)
    (fake_engines / "dpkg").symlink_to(os.path.realpath("/bin/true"))
    done = obs("install", "promtool", "--route", "debian")
    assert done.returncode == 3
    assert "downloading the Debian package prometheus, 1 s …\n" in done.stderr
