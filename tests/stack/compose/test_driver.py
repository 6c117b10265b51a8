"""The compose runtime, with a `docker` that answers from files."""

from __future__ import annotations

import json
import re
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.stack.compose.conftest import FakeDocker

from obs.errors import ConfigError, StackError
from obs.stack.compose import driver
from obs.stack.compose.config import ComposeConfig

READY = {
    "Service": "loki",
    "Name": "obs-loki-1",
    "Image": "grafana/loki:3.7.6",
    "State": "running",
    "Health": "healthy",
    "Publishers": [{"URL": "127.0.0.1", "PublishedPort": 3100}, {"URL": "", "PublishedPort": 0}],
}


@pytest.fixture
def config(tmp_path: Path) -> ComposeConfig:
    return ComposeConfig(directory=tmp_path / "state")


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def _with_secret(file: Path, user: str) -> dict[str, Any]:
    return {"user": user, "secrets": [{"source": file.name, "file": str(file)}]}


def test_up_makes_the_secrets_and_waits_for_health(docker: FakeDocker, config: ComposeConfig) -> None:
    docker.answers("ps", json.dumps(READY))
    [loki] = driver.up(config)
    assert (loki.name, loki.state, loki.urls) == ("loki", "ready", ("127.0.0.1:3100",))
    [up] = [call for call in docker.asked() if " up " in call]
    assert up.endswith("up --detach --wait --wait-timeout 300")
    assert "--project-name obs" in up
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in config.secrets.iterdir()}
    assert modes == dict.fromkeys(
        ("grafana_admin_password", "web.yml", "web_authorization", "web_password"), 0o444
    )
    assert stat.S_IMODE(config.secrets.stat().st_mode) == 0o700


def test_the_environment_file_says_where_things_are_and_no_secret(docker: FakeDocker, tmp_path: Path) -> None:
    config = ComposeConfig(
        directory=tmp_path / "o'state", ports={"prometheus": 19090, "collector.otlp_grpc": 24317}
    )
    driver.up(config)
    text = config.environment_file.read_text()
    assert "OBS_PROMETHEUS_PORT='19090'\n" in text
    assert "OBS_COLLECTOR_GRPC_PORT='24317'\n" in text
    places = config.places_file.read_text()
    assert re.search(r"^OBS_SECRETS_DIR='.*o\\'state/secrets'$", places, re.MULTILINE)
    assert all(file.read_text().strip() not in text for file in config.secrets.iterdir())
    assert any(f"--env-file {config.environment_file}" in call for call in docker.asked())


def test_twice_keeps_the_secrets(docker: FakeDocker, config: ComposeConfig) -> None:
    driver.up(config)
    before = {file.name: file.read_text() for file in config.secrets.iterdir()}
    driver.up(config)
    assert {file.name: file.read_text() for file in config.secrets.iterdir()} == before


@pytest.mark.parametrize(
    ("mode", "said"),
    [
        (0o400, r"mode 0400 of user \d+ is not for web \(user 10001\)"),
        (0o440, r"mode 0440 of user \d+ is not for web"),
        (0o444, None),
        (0o004, None),
    ],
)
def test_a_secret_must_be_readable_for_the_user_of_the_container(
    docker: FakeDocker, config: ComposeConfig, tmp_path: Path, mode: int, said: str | None
) -> None:
    secret = tmp_path / "receiver_url"
    secret.write_text("x")
    secret.chmod(mode)
    docker.project(web=_with_secret(secret, "10001:10001"))
    if said is None:
        driver.up(config)
        return
    with pytest.raises(StackError, match=said) as refused:
        driver.up(config)
    assert "chmod 0444" in (refused.value.hint or "")
    assert not [call for call in docker.asked() if " up " in call]


def test_owner_and_group_of_the_container_count(
    docker: FakeDocker, config: ComposeConfig, tmp_path: Path
) -> None:
    secret = tmp_path / "receiver_url"
    secret.write_text("x")
    secret.chmod(0o440)
    found = secret.stat()
    for user in (f"{found.st_uid}:1", f"4711:{found.st_gid}"):
        docker.project(web=_with_secret(secret, user))
        driver.up(config)
    docker.project(web={**_with_secret(secret, "4711:4711"), "group_add": [str(found.st_gid)]})
    driver.up(config)


def test_a_missing_secret_and_the_directory_that_docker_leaves_for_one_are_named(
    docker: FakeDocker, config: ComposeConfig, tmp_path: Path
) -> None:
    (tmp_path / "made_by_docker").mkdir()
    docker.project(
        one=_with_secret(tmp_path / "none", "10001:10001"),
        two=_with_secret(tmp_path / "made_by_docker", "10001:10001"),
    )
    with pytest.raises(StackError, match=r"none: no such file or directory\n.*made_by_docker: not a file"):
        driver.up(config)


def test_a_user_by_name_is_refused(docker: FakeDocker, config: ComposeConfig, tmp_path: Path) -> None:
    docker.project(web=_with_secret(tmp_path / "none", "nobody"))
    with pytest.raises(ConfigError, match="web: got user 'nobody', expected numbers such as 10001:10001"):
        driver.up(config)


def test_a_taken_port_is_told_before_anything_starts(
    docker: FakeDocker, config: ComposeConfig, taken: int
) -> None:
    docker.project(loki={"ports": [{"published": str(taken), "target": 3100}]})
    with pytest.raises(StackError, match=f"loki wants port {taken} on 127.0.0.1, which cannot be had"):
        driver.up(config)
    assert not [call for call in docker.asked() if " up " in call]


def test_a_port_that_is_given_twice_is_told_before_anything_starts(
    docker: FakeDocker, config: ComposeConfig
) -> None:
    docker.project(loki={"ports": [{"published": "3100"}]}, tempo={"ports": [{"published": "3100"}]})
    with pytest.raises(ConfigError, match="port 3100 is given twice: to loki and to tempo"):
        driver.up(config)
    assert not [call for call in docker.asked() if " up " in call]


def test_a_wrong_value_is_told_with_the_file_that_values_come_from(
    docker: FakeDocker, config: ComposeConfig
) -> None:
    docker.fails("config", "invalid hostPort: abc\n")
    with pytest.raises(
        StackError, match="with the values given: docker compose: invalid hostPort: abc"
    ) as refused:
        driver.up(config)
    assert (refused.value.where or "").endswith(".env")
    assert ".env.example" in (refused.value.hint or "")


def test_a_port_that_is_our_own_is_not_taken(docker: FakeDocker, config: ComposeConfig, taken: int) -> None:
    docker.project(loki={"ports": [{"published": str(taken), "target": 3100}]})
    docker.answers("ps", json.dumps(READY))
    driver.up(config)


def test_an_unhealthy_service_is_quoted(docker: FakeDocker, config: ComposeConfig) -> None:
    docker.answers("ps", json.dumps({**READY, "Health": "unhealthy"}))
    docker.answers("logs", "cannot open /loki: permission denied\n")
    docker.fails("up", "container obs-loki-1 is unhealthy\n")
    with pytest.raises(StackError, match=r"obs-loki-1 is unhealthy\n    loki:\n        cannot open /loki"):
        driver.up(config)


@pytest.mark.parametrize(
    ("entry", "state"),
    [
        ({"State": "running", "Health": "healthy"}, "ready"),
        ({"State": "running", "Health": ""}, "ready"),
        ({"State": "running", "Health": "starting"}, "starting"),
        ({"State": "running", "Health": "unhealthy"}, "unready"),
        ({"State": "restarting", "Health": ""}, "unready"),
        ({"State": "exited"}, "stopped"),
        ({"State": "created"}, "stopped"),
    ],
)
def test_states(docker: FakeDocker, config: ComposeConfig, entry: dict[str, str], state: str) -> None:
    docker.answers("ps", json.dumps({**READY, **entry}) + "\n" + json.dumps({**READY, "Service": "a"}))
    other, loki = driver.status(config)
    assert (other.name, loki.state) == ("a", state)


def test_older_composes_print_one_list(docker: FakeDocker, config: ComposeConfig) -> None:
    docker.answers("ps", json.dumps([READY, {**READY, "Service": "tempo"}]))
    assert [one.name for one in driver.status(config)] == ["loki", "tempo"]


@pytest.mark.parametrize(("volumes", "end"), [(False, "--remove-orphans"), (True, "--volumes")])
def test_down_takes_every_profile_and_data_only_when_asked(
    docker: FakeDocker, config: ComposeConfig, volumes: bool, end: str
) -> None:
    docker.answers("ps", json.dumps(READY))
    assert driver.down(config, volumes=volumes) == ["loki"]
    [call] = [call for call in docker.asked() if " down " in call]
    assert "--profile *" in call
    assert call.endswith(end)


def test_down_names_the_volumes_of_the_overlay_wherever_it_may_have_been_used(
    docker: FakeDocker, config: ComposeConfig
) -> None:
    driver.down(config)
    driver.up(config)
    driver.down(config, volumes=True)
    never, afterwards = [call for call in docker.asked() if " down " in call]
    assert "docker-compose.tls.yml" not in never
    assert "docker-compose.tls.yml" in afterwards
    assert "OBS_CERTS_GROUP=" in config.places_file.read_text()


def test_logs_of_an_unknown_service_get_the_nearest_name(docker: FakeDocker, config: ComposeConfig) -> None:
    docker.project(loki={}, prometheus={})
    with pytest.raises(
        ConfigError, match="no service is called 'lokki': there are loki, prometheus"
    ) as refused:
        driver.logs(config, "lokki")
    assert refused.value.hint == "did you mean 'loki'?"


def test_no_docker_is_said_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: ComposeConfig
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("OBS_HOME", str(tmp_path / "home"))
    with pytest.raises(StackError, match=r"no Docker Compose of version 2\.20\.0 or later") as refused:
        driver.status(config)
    assert "obs stack install docker-compose" in (refused.value.hint or "")


def test_an_old_compose_is_none(docker: FakeDocker, config: ComposeConfig) -> None:
    docker.answers("version", "Docker Compose version v2.6.0\n")
    with pytest.raises(StackError, match=r"no Docker Compose of version 2\.20\.0 or later"):
        driver.status(config)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            "Cannot connect to the Docker daemon at unix:///x. Is it running?",
            "no Docker engine answers: Cannot",
        ),
        ("permission denied while trying to connect to the Docker daemon", "this user may not talk"),
    ],
)
def test_no_engine_is_said_with_the_way_out(
    docker: FakeDocker, config: ComposeConfig, words: str, said: str
) -> None:
    docker.fails("ls", words)
    with pytest.raises(StackError, match=said) as refused:
        driver.up(config)
    assert "--runtime native" in (refused.value.hint or "")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"ports": {"promtheus": 1}}, "no server of the stack is called 'promtheus'"),
        ({"ports": {"loki.grpc": 1}}, "loki.grpc is not published"),
        ({"ports": {"loki": 70000}}, "port of loki: got 70000, expected 1 to 65535"),
        ({"profiles": ("demos",)}, "no profile is called 'demos': there is demo"),
    ],
)
def test_an_impossible_choice_is_refused(
    docker: FakeDocker, tmp_path: Path, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        driver.up(ComposeConfig(directory=tmp_path / "state", **options))
