"""Containers see the files that they were started with: when those change, they are made anew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.stack.compose.conftest import FakeDocker
from tests.stack.compose.test_driver import READY

from obs.errors import StackError
from obs.stack.compose import driver
from obs.stack.compose.config import ComposeConfig


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """What a service reads at its start, and a dashboard, which is followed."""
    places = {
        "secret": tmp_path / "web_password",
        "configuration": tmp_path / "loki.yml",
        "directory": tmp_path / "collector" / "collector.yml",
        "followed": tmp_path / "dashboards" / "shop.json",
    }
    for place in places.values():
        place.parent.mkdir(exist_ok=True)
        place.write_text("first")
    # Whatever the umask: a container that cannot read its secret is not started.
    places["secret"].chmod(0o644)
    return places


def _start(
    docker: FakeDocker, config: ComposeConfig, files: dict[str, Path], **others: dict[str, Any]
) -> bool:
    """Start once more, and tell whether running containers are made anew."""
    service: dict[str, Any] = {
        "user": "10001:10001",
        "secrets": [{"source": "web_password", "file": str(files["secret"])}],
        "volumes": [
            {"type": "bind", "source": str(files["configuration"]), "target": "/etc/loki/loki.yml"},
            {"type": "bind", "source": str(files["directory"].parent), "target": "/etc/otelcol"},
            {"type": "bind", "source": str(files["followed"].parent), "target": "/etc/grafana/dashboards"},
            {"type": "volume", "source": "loki-data", "target": "/loki"},
        ],
    }
    docker.project(loki=service, **others)
    driver.up(config)
    [*_, last] = [call for call in docker.asked() if " up " in call]
    return "--force-recreate" in last


@pytest.mark.parametrize(
    ("changed", "anew"),
    [("secret", True), ("configuration", True), ("directory", True), ("followed", False)],
)
def test_what_is_read_at_the_start_is_given_to_running_containers(
    docker: FakeDocker, tmp_path: Path, files: dict[str, Path], changed: str, anew: bool
) -> None:
    config = ComposeConfig(directory=tmp_path / "state")
    assert not _start(docker, config, files), "nothing runs yet"
    docker.answers("ps", f'{{"Service": "loki", "State": "running", "Image": "{READY["Image"]}"}}')
    assert not _start(docker, config, files), "nothing has changed"
    files[changed].write_text("second")
    assert _start(docker, config, files) is anew
    assert not _start(docker, config, files)


def test_a_service_that_comes_later_leaves_the_others_alone(
    docker: FakeDocker, tmp_path: Path, files: dict[str, Path]
) -> None:
    config = ComposeConfig(directory=tmp_path / "state")
    _start(docker, config, files)
    docker.answers("ps", f'{{"Service": "loki", "State": "running", "Image": "{READY["Image"]}"}}')
    key = tmp_path / "storefront.key"
    key.write_text("first")
    shop = {"volumes": [{"type": "bind", "source": str(key), "target": "/etc/obs/certs/server.key"}]}
    assert not _start(docker, config, files, storefront=shop)
    assert not _start(docker, config, files)
    key.write_text("second")
    assert not _start(docker, config, files), "nobody asked for the shop"
    assert _start(docker, config, files, storefront=shop)
    assert not _start(docker, config, files, storefront=shop)


@pytest.mark.parametrize("text", ["5c1d", "0", "{", ""])
def test_a_record_of_an_earlier_version_counts_as_changed_once(
    docker: FakeDocker, tmp_path: Path, files: dict[str, Path], text: str
) -> None:
    config = ComposeConfig(directory=tmp_path / "state")
    _start(docker, config, files)
    docker.answers("ps", f'{{"Service": "loki", "State": "running", "Image": "{READY["Image"]}"}}')
    (tmp_path / "state" / "mounted").write_text(text)
    assert _start(docker, config, files)
    assert not _start(docker, config, files)


def test_a_start_that_failed_is_made_up_for(
    docker: FakeDocker, tmp_path: Path, files: dict[str, Path]
) -> None:
    config = ComposeConfig(directory=tmp_path / "state")
    _start(docker, config, files)
    docker.answers("ps", f'{{"Service": "loki", "State": "running", "Image": "{READY["Image"]}"}}')
    files["secret"].write_text("second")
    docker.fails("up", "the engine has gone\n")
    with pytest.raises(StackError, match="the engine has gone"):
        _start(docker, config, files)
    (docker.folder / "up.fails").unlink()
    assert _start(docker, config, files)
