"""Servers of the full stack that need no engine of the cache: a Grafana that is named, a Tempo that is missing."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from obs.errors import ConfigError, StackError
from obs.stack import native, process
from obs.stack.native import NativeConfig
from obs.stack.ports import free

#: Speaks as much of Grafana as the runtime asks for.
GRAFANA = """\
import configparser, http.server, os, pathlib, signal, sys

if "--version" in sys.argv:
    print("grafana version 13.1.2")
    raise SystemExit
options = dict(argument.lstrip("-").split("=", 1) for argument in sys.argv[2:])
settings = configparser.ConfigParser(interpolation=None)
settings.read(options["config"])
place = (settings["server"]["http_addr"], int(settings["server"]["http_port"]))


class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/api/health" else 404)
        self.end_headers()

    def log_message(self, *_):
        pass


signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
print("sees", *sorted(os.listdir(settings["paths"]["provisioning"])), flush=True)
http.server.ThreadingHTTPServer(place, Answer).serve_forever()
"""


@pytest.fixture
def config(tmp_path: Path, programs: Path) -> Iterator[NativeConfig]:
    servers = ("tempo", "grafana", "runbooks")
    ports = {
        "grafana": free(),
        "runbooks": free(),
        "tempo": free(),
        "tempo.otlp_grpc": free(),
        "tempo.grpc": free(),
    }
    config = NativeConfig(directory=tmp_path / "stack", servers=servers, ports=ports)
    yield config
    native.down(config.directory)


@pytest.fixture
def grafana(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_program: Callable[[Path, str], Path]
) -> Path:
    home = tmp_path / "grafana-home"
    (home / "conf").mkdir(parents=True)
    (home / "conf" / "defaults.ini").touch()
    program = home / "bin" / "grafana"
    make_program(program, GRAFANA)
    monkeypatch.setenv("OBS_GRAFANA", str(program))
    return program


def test_what_is_named_runs_what_is_missing_says_how_to_get_it_and_secrets_of_the_user_outlive_a_reset(
    config: NativeConfig, grafana: Path
) -> None:
    servers = {server.name: server for server in native.up(config, tied=True)}
    assert {name: server.state for name, server in servers.items()} == {
        "tempo": "skipped",
        "grafana": "ready",
        "runbooks": "ready",
    }
    assert (servers["grafana"].version, servers["grafana"].route) == ("13.1.2", "path")
    assert servers["tempo"].reason == "missing: obs stack install tempo, or OBS_TEMPO=FILE"
    assert native.logs(config.directory, "grafana") == "sees dashboards datasources home.json"
    assert native.status(config.directory) == list(servers.values())
    (config.directory / "secrets" / "pagerduty_key").write_text("the user's")

    assert native.down(config.directory) == ["grafana", "runbooks"]
    assert [server.state for server in native.status(config.directory)] == ["skipped", "stopped", "stopped"]

    native.down(config.directory, purge=True)
    assert [path.name for path in config.directory.rglob("*")] == ["secrets", "pagerduty_key"]


def test_a_second_up_bounds_the_logs_again_where_that_has_ended(
    config: NativeConfig, grafana: Path, until: Callable[[Callable[[], bool]], None]
) -> None:
    native.up(config, tied=True)
    pid_file = config.directory / "run" / ".log-rotation.json"
    first = process.find(pid_file)
    assert first is not None
    os.kill(first.pid, signal.SIGKILL)
    until(lambda: process.find(pid_file) is None)

    assert all(one.was_running for one in native.up(config, tied=True) if one.pid)

    assert process.find(pid_file) is not None


def test_a_named_program_that_is_not_there_is_a_mistake(
    config: NativeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OBS_TEMPO", "/nowhere/tempo")
    with pytest.raises(ConfigError, match="OBS_TEMPO names no file"):
        native.up(config, tied=True)


def test_a_grafana_without_its_files_is_said(config: NativeConfig, grafana: Path) -> None:
    (grafana.parent.parent / "conf" / "defaults.ini").unlink()
    with pytest.raises(StackError, match=r"defaults\.ini of Grafana is not beside its program"):
        native.up(config, tied=True)


def test_a_directory_that_would_break_a_configuration_is_refused(
    config: NativeConfig, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match="choose another with --dir"):
        native.up(NativeConfig(directory=tmp_path / "a#b", servers=config.servers, ports=config.ports))


def test_an_unknown_server_gets_the_nearest_name(config: NativeConfig) -> None:
    with pytest.raises(ConfigError, match="did you mean 'grafana'"):
        native.up(NativeConfig(directory=config.directory, servers=("grafna",)))
