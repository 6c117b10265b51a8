"""One engine, one set of images and one running stack for all tests of containers."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.engines.compose import guardian, images, page
from tests.engines.compose.engine import Docker, running
from tests.engines.compose.stack import PROJECT, PUBLISHED, Containers

from obs.stack import bundle
from obs.stack.compose.config import PORT_VARIABLES
from obs.stack.ports import free
from obs.stack.servers import SERVERS, SHOP

#: Small files, so that the lines of one test need several; many, so that none goes before it is read.
SETTINGS = {"OBS_LOG_FILE_SIZE": "16KiB", "OBS_LOG_FILES": "200", "OBS_PROBE_INTERVAL": "2s"}


@pytest.fixture(scope="session")
def work() -> Iterator[Path]:
    """A short path: the name of a socket has little room. Containers read secrets below it."""
    place = Path(tempfile.mkdtemp(prefix=guardian.PREFIX))
    yield place
    shutil.rmtree(place, ignore_errors=True)


@pytest.fixture(scope="session")
def docker(work: Path) -> Iterator[Docker]:
    """An engine with nothing in it."""
    with running(work / "engine") as engine:
        yield Docker(engine.directory, engine.tree, {**engine.environment, **SETTINGS})


@pytest.fixture(scope="session")
def contents(docker: Docker, work: Path, request: pytest.FixtureRequest) -> dict[str, str]:
    """Make every image; what is not the real engine is told at the end of the run."""
    base = ("compose", "--file", str(bundle.path("docker-compose.yml")), "--profile", "demo")
    project = json.loads(docker.run(*base, "config", "--format", "json"))
    (work / "images").mkdir()
    made = images.build(docker, project, work / "images")
    # One after the other: the second finds the layers of the first.
    for service in ("collector", "runbooks", "payments"):
        docker.run(*base, "build", service, within=900)
    reporter = request.config.pluginmanager.get_plugin("terminalreporter")
    for line in made.values():
        if reporter is not None and "STAND-IN" in line:
            reporter.write_line(f"not run in containers: {line}")
    return made


@pytest.fixture(scope="session")
def stack(docker: Docker, contents: dict[str, str], work: Path) -> Iterator[Containers]:
    """The stack and the shop, up and healthy; afterwards nothing of them is left, or that is an error."""
    ports = {name: free() for name in PUBLISHED}
    settings = {_variable(name): str(port) for name, port in ports.items()}
    own = Docker(docker.directory, docker.tree, {**docker.environment, **settings})
    containers = Containers(own, work / "state", ports, contents, [])
    try:
        # First as somebody starts it who asks for no shop, and the shop beside it then.
        for options in ((), ("--profile", "demo")):
            started = containers.obs("up", *options)
            assert started.returncode == 0, started.stdout + started.stderr
            containers.seen.append(containers.watched())
        yield containers
        *_, last = page.blocks()
        page.run(containers, last)
    finally:
        ended = containers.obs("down", "--purge")
        left = {kind: _left(docker, *command) for kind, command in _LEFTOVERS.items()}
        if any(left.values()):
            for container in left["containers"]:
                docker.run("rm", "--force", "--volumes", container)
    assert ended.returncode == 0, ended.stderr
    assert left == {"containers": [], "volumes": [], "networks": []}, left


_LEFTOVERS = {
    "containers": ("ps", "--all", "--format", "{{.Names}}"),
    "volumes": ("volume", "ls", "--format", "{{.Name}}"),
    "networks": (
        "network",
        "ls",
        "--filter",
        f"label=com.docker.compose.project={PROJECT}",
        "--format",
        "{{.Name}}",
    ),
}


def _variable(name: str) -> str:
    server, _, role = name.partition(".")
    ports = {**SERVERS, **SHOP}[server].ports
    return PORT_VARIABLES[server, role or ports[0].role]


def _left(docker: Docker, *command: str) -> list[str]:
    return docker.run(*command).split()
