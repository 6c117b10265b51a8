"""A Docker engine of our own: Debian's, unpacked into the cache and started as root, touching nothing outside.

Its data, its containerd, its socket and its pid file are in one directory that goes away with it; it writes no packet
filter and makes no default bridge. An engine that runs on this machine already is never spoken to.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.engines.compose import guardian

from obs.stack import bundle, cache, engines
from obs.stack.routes import debian

#: What is unpacked; libraries that a machine has anyway are loaded from there.
PACKAGES = (
    "docker.io",
    "containerd",
    "runc",
    "tini",
    "iptables",
    "libip4tc2",
    "libip6tc2",
    "libxtables12",
    "libmnl0",
    "libnfnetlink0",
    "libnetfilter-conntrack3",
    "libnftnl11",
    "libdevmapper1.02.1",
    "busybox-static",
)
#: What is not unpacked: parts of every Debian but the last two.
_PROGRAMS = ("mount", "umount", "unshare", "setpriv", "ldd", "bash", "sh", "curl", "git", "go")
_READY_WITHIN = 90.0


@dataclass(frozen=True)
class Docker:
    """A running engine, and the environment in which `docker` and `docker compose` speak to it."""

    directory: Path
    tree: Path
    environment: Mapping[str, str]

    @property
    def busybox(self) -> Path:
        """A shell and small programs without any library."""
        return self.tree / "bin" / "busybox"

    def run(self, *arguments: str, within: float = 120.0) -> str:
        """Run `docker` with `arguments` and return what it prints."""
        done = subprocess.run(
            ["docker", *arguments],
            env=dict(self.environment),
            capture_output=True,
            timeout=within,
            check=False,
            text=True,
        )
        assert done.returncode == 0, (
            f"docker {' '.join(arguments)}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
        )
        return done.stdout

    def printed(self, container: str) -> str:
        """Return everything that a container has printed, to both streams."""
        done = subprocess.run(
            ["docker", "logs", container],
            env=dict(self.environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=60,
            check=True,
        )
        return done.stdout


def unpacked() -> Path:
    """Return the directory with Debian's engine, unpacked once for all runs."""
    place = cache.directory() / "dockerd" / "debian"
    if not (place / "usr/sbin/dockerd").is_file():
        debian.require_tools()
        with cache.workspace("debian") as work:
            tree = work / "tree"
            for package in PACKAGES:
                debian.unpack(debian.download(package, work, None), tree, None)
            if not (place / "usr/sbin/dockerd").is_file():
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.rmtree(place, ignore_errors=True)
                tree.chmod(0o755)
                tree.rename(place)
    return place


@contextlib.contextmanager
def running(directory: Path) -> Iterator[Docker]:
    """Start an engine with everything of its own below `directory`; end it and remove that and its parent afterwards."""
    _require_means()
    guardian.clear_stale()
    tree = unpacked()
    directory.mkdir(parents=True)
    guardian.claim(directory)
    # Two gigabytes of images come and go: in memory that takes a moment, on a disk a minute.
    subprocess.run(["mount", "-t", "tmpfs", "obs", str(directory)], check=False, capture_output=True)
    environment = _environment(tree, directory)
    _choose_packet_filter(tree, directory, environment)
    process = subprocess.Popen(
        [sys.executable, "-m", guardian.__name__, str(directory), *_command(tree, directory)],
        env=environment,
        cwd=bundle.root(),
        stdin=subprocess.PIPE,
        start_new_session=True,
    )
    docker = Docker(directory, tree, environment)
    try:
        _await_ready(docker, process)
        yield docker
    finally:
        process.communicate()
    assert process.returncode == 0, "the guardian of the engine has failed"


def _require_means() -> None:
    """Say in one sentence what this machine lacks, before anything is started."""
    if os.geteuid() != 0:
        pytest.fail(
            "the tests of containers start a Docker engine of their own, so they run as root", pytrace=False
        )
    missing = [name for name in _PROGRAMS if shutil.which(name) is None]
    if missing:
        pytest.fail(f"the tests of containers need {', '.join(missing)} on PATH", pytrace=False)
    if "cgroup" not in Path("/proc/mounts").read_text():
        pytest.fail("the tests of containers need control groups mounted at /sys/fs/cgroup", pytrace=False)


def _command(tree: Path, directory: Path) -> list[str]:
    return [
        str(tree / "usr/sbin/dockerd"),
        *("--data-root", str(directory / "data")),
        *("--exec-root", str(directory / "exec")),
        *("--pidfile", str(directory / "dockerd.pid")),
        *("--host", f"unix://{directory}/docker.sock"),
        # Nothing of the machine's network is changed: bridges come and go with their networks, ports are proxied.
        "--iptables=false",
        "--ip6tables=false",
        "--ip-forward=false",
        "--ip-masq=false",
        "--bridge=none",
        # Names of nobody here are refused at once, instead of asking a network that is not there.
        *("--dns", "127.0.0.1"),
        *("--exec-opt", "native.cgroupdriver=cgroupfs"),
        *("--cgroup-parent", f"/{directory.parent.name}"),
        *("--log-level", "warn"),
    ]


def _environment(tree: Path, directory: Path) -> dict[str, str]:
    plugins = directory / "client" / "cli-plugins"
    plugins.mkdir(parents=True)
    compose = engines.install(["docker-compose"], routes=["go"])["docker-compose"]
    (plugins / "docker-compose").symlink_to(compose.path)
    libraries = [
        tree / place
        for place in (
            "usr/lib/x86_64-linux-gnu",
            "lib/x86_64-linux-gnu",
            "usr/lib/aarch64-linux-gnu",
            "lib/aarch64-linux-gnu",
        )
    ]
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("OBS_", "DOCKER_", "COMPOSE_", "OTEL_"))
    }
    return {
        **kept,
        "PATH": f"{directory}/bin:{tree}/usr/bin:{tree}/usr/sbin:{tree}/sbin:{kept.get('PATH', '/usr/bin:/bin')}",
        "LD_LIBRARY_PATH": ":".join(str(place) for place in libraries if place.is_dir()),
        "XTABLES_LIBDIR": str(next(tree.glob("usr/lib/*/xtables"))),
        "DOCKER_HOST": f"unix://{directory}/docker.sock",
        "DOCKER_CONFIG": str(directory / "client"),
        "DOCKER_BUILDKIT": "0",
        "HOME": str(directory / "client"),
        **(
            {"OBS_HOME": os.environ["OBS_HOME"]}
            if "OBS_HOME" in os.environ
            else {"OBS_HOME": str(cache.directory().parent)}
        ),
    }


def _choose_packet_filter(tree: Path, directory: Path, environment: Mapping[str, str]) -> None:
    """Put the `iptables` on the path that this kernel knows: the names of a network are resolved by its rules.

    The engine writes them inside the containers' own network namespaces only.
    """
    program = directory / "bin" / "iptables"
    program.parent.mkdir()
    rule = "-t nat -A OUTPUT -d 127.0.0.11 -p udp --dport 53 -j DNAT --to-destination 127.0.0.11:1053"
    said = ""
    for kind in ("nft", "legacy"):
        program.unlink(missing_ok=True)
        program.symlink_to(tree / f"usr/sbin/xtables-{kind}-multi")
        tried = subprocess.run(
            ["unshare", "--net", str(program), *rule.split()],
            env=dict(environment),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        if tried.returncode == 0:
            return
        said += f"{kind}: {tried.stderr}"
    msg = f"neither iptables works here: {said}"
    raise AssertionError(msg)


def _await_ready(docker: Docker, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _READY_WITHIN
    log = docker.directory / "dockerd.log"
    while True:
        asked = subprocess.run(
            ["docker", "info", "--format", "{{.Driver}} {{.ServerErrors}}"],
            env=dict(docker.environment),
            capture_output=True,
            check=False,
            timeout=30,
            text=True,
        )
        if asked.returncode == 0:
            break
        ended = process.poll() is not None or (docker.directory / "ended").exists()
        assert not ended, f"dockerd does not start here:\n{log.read_text()[-4000:]}"
        assert time.monotonic() < deadline, f"dockerd does not answer:\n{log.read_text()[-4000:]}"
        time.sleep(0.2)
    driver = asked.stdout.split()[0]
    assert driver != "vfs", (
        f"no overlay file system here: each container would copy its whole image:\n{log.read_text()[-4000:]}"
    )
