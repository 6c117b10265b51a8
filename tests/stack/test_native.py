"""The native runtime, with small programs in the place of the engines."""

from __future__ import annotations

import errno
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from obs.errors import ConfigError, StackError
from obs.stack import native, process, state
from obs.stack.native import NativeConfig
from obs.stack.ports import LOOPBACK, answers, free
from obs.stack.progress import Progress
from obs.stack.servers import FULL

Until = Callable[[Callable[[], bool]], None]


@pytest.fixture
def config(tmp_path: Path, fake_engines: Path) -> Iterator[NativeConfig]:
    """A configuration of the test's own; whatever it leaves running is stopped."""
    config = NativeConfig(
        directory=tmp_path / "stack", ports={"prometheus": free(), "alertmanager": free()}, routes=["path"]
    )
    yield config
    native.down(config.directory)


@pytest.fixture
def slow(config: NativeConfig) -> Path:
    """A Prometheus that is not ready until this file is gone."""
    never = config.directory / "prometheus" / "data" / "never-ready"
    never.parent.mkdir(parents=True)
    never.touch()
    return never


def _started_before(directory: Path) -> None:
    with state.locked(directory):
        pass


def _is_unlocked(directory: Path) -> bool:
    try:
        _started_before(directory)
    except StackError:
        return False
    return True


def _pids(config: NativeConfig) -> dict[str, int]:
    found = (process.find(file) for file in (config.directory / "run").glob("[!.]*.json"))
    return {running.name: running.pid for running in found if running is not None}


def test_up_makes_every_server_ready_where_it_was_asked_to(config: NativeConfig) -> None:
    servers = native.up(config, tied=True)

    assert [(server.name, server.state, server.route) for server in servers] == [
        ("prometheus", "ready", "path"),
        ("alertmanager", "ready", "path"),
    ]
    assert [server.url for server in servers] == [
        f"http://127.0.0.1:{port}" for port in config.ports.values()
    ]
    assert not any(server.was_running for server in servers)
    assert native.status(config.directory) == servers


def test_the_receiver_of_alerts_is_started_before_their_sender(config: NativeConfig) -> None:
    steps: list[str] = []
    native.up(config, tied=True, report=lambda progress: steps.append(progress.step))
    assert steps.index("starting alertmanager") < steps.index("starting prometheus")


def test_a_checker_that_vanishes_is_said_without_a_traceback(
    config: NativeConfig, fake_engines: Path
) -> None:
    vanishing = "#!/bin/sh\n/bin/rm \"$0\"\necho 'promtool, version 3.1.0 (branch: none)'\n"
    (fake_engines / "promtool").write_text(vanishing)
    with pytest.raises(StackError, match="promtool does not start: No such file"):
        native.up(config, tied=True)


def test_a_second_up_changes_nothing(config: NativeConfig) -> None:
    native.up(config, tied=True)
    before = _pids(config)

    servers = native.up(config, tied=True)

    assert all(server.was_running for server in servers)
    assert _pids(config) == before


def test_a_second_up_starts_what_has_died(config: NativeConfig, until: Until) -> None:
    native.up(config, tied=True)
    before = _pids(config)
    os.kill(before["alertmanager"], signal.SIGKILL)
    until(lambda: "alertmanager" not in _pids(config))
    assert [(one.state, one.reason) for one in native.status(config.directory)] == [
        ("ready", None),
        ("stopped", f"died, it was process {before['alertmanager']}"),
    ]

    servers = native.up(config, tied=True)

    assert [server.was_running for server in servers] == [True, False]
    assert _pids(config)["prometheus"] == before["prometheus"]


def test_engines_as_old_as_debians_serve_rules_and_not_the_whole_stack(config: NativeConfig) -> None:
    whole = replace(config, servers=FULL)
    with pytest.raises(StackError, match=r"prometheus is 3\.1\.0, expected at least 3\.14\.0") as caught:
        native.up(whole, tied=True)
    assert "run fewer servers, such as --only prometheus --only alertmanager" in str(caught.value)
    assert _pids(config) == {}

    assert [one.state for one in native.up(config, tied=True)] == ["ready", "ready"]


def test_a_second_up_with_another_configuration_is_refused(config: NativeConfig) -> None:
    native.up(config, tied=True)
    with pytest.raises(
        StackError,
        match=r"prometheus already runs here .* with another configuration: prometheus\.yml would be another",
    ) as caught:
        native.up(replace(config, scrape_interval="1s"), tied=True)
    # Without its directory the command would stop another stack.
    assert f"obs stack down --dir {config.directory}" in str(caught.value)
    assert [server.state for server in native.status(config.directory)] == ["ready", "ready"]


def test_a_second_up_on_another_port_is_told_which_one_is_in_use(config: NativeConfig) -> None:
    native.up(config, tied=True)
    port, other = config.ports["alertmanager"], free()
    with pytest.raises(
        StackError,
        match=f"it has --web.listen-address=127.0.0.1:{port}, asked for is --web.listen-address=127.0.0.1:{other}",
    ):
        native.up(replace(config, ports={**config.ports, "alertmanager": other}), tied=True)


def test_down_leaves_neither_process_nor_pid_file(config: NativeConfig) -> None:
    native.up(config, tied=True)

    assert native.down(config.directory) == ["prometheus", "alertmanager"]
    assert [one.reason for one in native.status(config.directory)] == [None, None]

    assert not (config.directory / "run").exists()
    assert not any(answers(port, "/-/ready") for port in config.ports.values())
    assert (config.directory / "prometheus" / "data").is_dir()


def test_down_twice_is_harmless(config: NativeConfig) -> None:
    native.up(config, tied=True)
    native.down(config.directory)
    assert native.down(config.directory) == []


def test_down_of_a_stack_that_never_was_makes_no_directory(tmp_path: Path) -> None:
    assert native.down(tmp_path / "never") == []
    assert not (tmp_path / "never").exists()


def test_purge_removes_what_is_ours_and_nothing_else(config: NativeConfig) -> None:
    native.up(config, tied=True)
    (config.directory / "notes.txt").touch()
    native.down(config.directory, purge=True)
    assert [path.name for path in config.directory.iterdir()] == ["notes.txt"]

    (config.directory / "notes.txt").unlink()
    _started_before(config.directory)
    native.down(config.directory, purge=True)
    assert not config.directory.exists()


@pytest.mark.parametrize("name", ["runbooks/checkout.md", "log/checkout.log", "stack.json"])
def test_what_no_stack_has_made_is_neither_overwritten_nor_removed(config: NativeConfig, name: str) -> None:
    theirs = config.directory / name
    theirs.parent.mkdir(parents=True, exist_ok=True)
    theirs.write_text("theirs")

    with pytest.raises(ConfigError, match="is here already: it would be overwritten"):
        native.up(config, tied=True)
    assert native.down(config.directory) == native.down(config.directory, purge=True) == []

    assert [path for path in config.directory.rglob("*") if path.is_file()] == [theirs]
    assert theirs.read_text() == "theirs"


def test_secrets_service_logs_and_data_may_be_there_before_the_first_start(config: NativeConfig) -> None:
    for name in ("secrets/pagerduty_key", "log/services/checkout.log", "prometheus/data/past", "notes.txt"):
        (config.directory / name).parent.mkdir(parents=True, exist_ok=True)
        (config.directory / name).touch()
    native.up(config, tied=True)


def test_what_cannot_be_removed_is_said_and_the_rest_goes(config: NativeConfig, tmp_path: Path) -> None:
    native.up(config, tied=True)
    data = config.directory / "alertmanager"
    data.rename(tmp_path / "elsewhere")
    data.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StackError, match=r"cannot remove all data: .*symbolic link"):
        native.down(config.directory, purge=True)
    assert {path.name for path in config.directory.iterdir()} == {".lock", "alertmanager"}


def test_servers_are_stopped_though_their_disk_was_made_read_only(
    config: NativeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    native.up(config, tied=True)
    opened = os.open

    def refuse(path: Any, flags: int = os.O_WRONLY, *rest: Any, **named: Any) -> int:
        if flags & (os.O_WRONLY | os.O_RDWR):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), path)
        return opened(path, flags, *rest, **named)

    with monkeypatch.context() as disk:
        for name in ("unlink", "rmdir"):
            disk.setattr(Path, name, refuse)
            disk.setattr(os, name, refuse)
        disk.setattr(os, "open", refuse)
        assert native.down(config.directory) == ["prometheus", "alertmanager"]
    assert _pids(config) == {}


def test_a_taken_port_is_named_before_anything_starts(config: NativeConfig) -> None:
    with socket.create_server((LOOPBACK, 0)) as owner:
        port = owner.getsockname()[1]
        taken = replace(config, ports={**config.ports, "alertmanager": port})
        with pytest.raises(
            StackError, match=f"(?s)alertmanager wants port {port} .*--port alertmanager=PORT"
        ):
            native.up(taken, tied=True)
    assert _pids(config) == {}


def test_an_engine_that_crashes_is_quoted_and_the_others_are_stopped(config: NativeConfig) -> None:
    crash = config.directory / "prometheus" / "data" / "crash"
    crash.parent.mkdir(parents=True)
    crash.touch()
    with pytest.raises(StackError) as caught:
        native.up(config, tied=True)
    assert "prometheus ended with 7 before it was ready" in str(caught.value)
    assert "the disk is on fire" in str(caught.value)
    assert _pids(config) == {}
    assert not answers(config.ports["alertmanager"], "/-/ready")
    # What was asked for is known all the same.
    assert {one.name: one.state for one in native.status(config.directory)} == {
        "prometheus": "stopped",
        "alertmanager": "stopped",
    }


@pytest.mark.parametrize(
    "wrong", [{"ports": {"prometheus": 0}}, {"servers": ("lok",)}, {"scrape_interval": "5"}]
)
def test_what_makes_no_sense_is_refused_before_anything_is_written(
    config: NativeConfig, wrong: dict[str, Any]
) -> None:
    with pytest.raises(ConfigError):
        native.up(replace(config, **wrong), tied=True)
    assert not config.directory.exists()


def test_a_refused_configuration_is_the_users_mistake(config: NativeConfig, tmp_path: Path) -> None:
    given = tmp_path / "mine.yml"
    given.write_text("REFUSE: this")
    with pytest.raises(
        ConfigError, match=r"(?s)amtool refuses the configuration of alertmanager.*line 7: not"
    ):
        native.up(replace(config, alertmanager_config=given), tied=True)
    assert _pids(config) == {}


def test_a_given_alertmanager_configuration_is_used_in_place(config: NativeConfig, tmp_path: Path) -> None:
    given = tmp_path / "mine.yml"
    given.write_text("route: {}")
    native.up(replace(config, alertmanager_config=given), tied=True)
    running = process.find(config.directory / "run" / "alertmanager.json")
    assert running is not None
    assert f"--config.file={given}" in running.argv


def test_everything_listens_on_loopback_only(config: NativeConfig) -> None:
    native.up(config, tied=True)
    running = [process.find(file) for file in (config.directory / "run").glob("*.json")]
    listens = [part for one in running if one for part in one.argv if "listen-address" in part]
    assert sorted(listens) == sorted(
        [
            "--cluster.listen-address=",
            *(f"--web.listen-address=127.0.0.1:{port}" for port in config.ports.values()),
        ]
    )


@pytest.mark.usefixtures("slow")
def test_ctrl_c_during_up_leaves_nothing_running(config: NativeConfig) -> None:
    seen: dict[str, int] = {}

    def interrupt(progress: Progress) -> None:
        if progress.step == "starting prometheus" and len(_pids(config)) == 2 and not seen:
            seen.update(_pids(config))
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        native.up(config, tied=True, report=interrupt)
    assert set(seen) == {"prometheus", "alertmanager"}
    assert _pids(config) == {}
    assert not any(Path("/proc", str(pid)).exists() for pid in seen.values())


def test_a_stale_pid_file_is_no_server(config: NativeConfig) -> None:
    native.up(config, tied=True)
    file = config.directory / "run" / "prometheus.json"
    stale = json.loads(file.read_text())
    native.down(config.directory)
    file.parent.mkdir()
    file.write_text(json.dumps(stale))
    assert native.status(config.directory)[0].state == "stopped"
    assert [server.was_running for server in native.up(config, tied=True)] == [False, False]


def test_two_at_once_in_one_directory_are_refused(config: NativeConfig) -> None:
    with state.locked(config.directory), pytest.raises(StackError, match="another `obs stack`"):
        native.up(config, tied=True)


def test_logs_are_the_last_lines(config: NativeConfig) -> None:
    native.up(config, tied=True)
    assert native.logs(config.directory, "alertmanager", 1) == "alertmanager listens"


def test_logs_of_what_never_ran_say_so(config: NativeConfig) -> None:
    with pytest.raises(StackError, match="it was never started here"):
        native.logs(config.directory, "prometheus")
    with pytest.raises(ConfigError, match="did you mean 'prometheus'"):
        native.logs(config.directory, "promtheus")


BACKGROUND = """
import sys
from pathlib import Path
from obs.stack import native
config = native.NativeConfig(
    directory=Path(sys.argv[1]), ports={"prometheus": int(sys.argv[2]), "alertmanager": int(sys.argv[3])},
    routes=["path"],
)
native.up(config, tied=sys.argv[4] == "tied")
"""


def test_up_waits_for_what_one_that_was_killed_has_started(
    config: NativeConfig, slow: Path, until: Until
) -> None:
    ports = [str(port) for port in config.ports.values()]
    with subprocess.Popen(
        [sys.executable, "-c", BACKGROUND, str(config.directory), *ports, "background"]
    ) as first:
        until(lambda: len(_pids(config)) == 2)
        first.kill()
    # What it had forked and not executed yet holds its lock for a moment longer.
    until(lambda: _is_unlocked(config.directory))
    before = _pids(config)

    def finish(progress: Progress) -> None:
        if progress.step == "waiting for prometheus":
            slow.unlink(missing_ok=True)

    servers = native.up(config, report=finish)

    assert [(server.state, server.was_running) for server in servers] == [("ready", True)] * 2
    assert _pids(config) == before


@pytest.mark.parametrize(("how", "expected"), [("background", 2), ("tied", 0)])
def test_background_servers_survive_the_program_that_started_them_tied_ones_do_not(
    how: str, expected: int, config: NativeConfig, until: Until
) -> None:
    ports = [str(port) for port in config.ports.values()]
    subprocess.run(
        [sys.executable, "-c", BACKGROUND, str(config.directory), *ports, how], check=True, timeout=60
    )
    until(lambda: len(_pids(config)) == expected)
    bounded = process.find(config.directory / "run" / ".log-rotation.json")
    assert (bounded is None) == (how == "tied")
    # A server of a loaded machine may for once not answer in time whether it is ready.
    until(lambda: [one.state for one in native.status(config.directory)].count("ready") == expected)
    assert len(native.down(config.directory)) == expected
