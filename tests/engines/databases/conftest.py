"""A real PostgreSQL and a real Redis on loopback, from Debian's packages, of this test run alone."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis
from tests.engines import tied
from tests.engines.databases import redis_groups
from tests.engines.databases.redis_groups import Cluster
from tests.engines.databases.servers import await_ready, running

from obs.stack import databases
from obs.stack.ports import free

#: PostgreSQL refuses to run as root; this user exists everywhere and owns nothing.
_NOBODY = 65534


def _as_ordinary_user() -> dict[str, Any]:
    return {"user": _NOBODY, "group": _NOBODY, "extra_groups": []} if os.getuid() == 0 else {}


def _reachable(entry: Path, place: Path) -> Path:
    """Return `entry`, or a copy that an ordinary user may read where ours lies below root's home."""
    if os.getuid() != 0:
        return entry
    copy = place / "program"
    shutil.copytree(entry, copy, symlinks=True)
    return copy


@pytest.fixture(scope="session")
def place() -> Iterator[Path]:
    """A directory that an ordinary user may enter; pytest's own are root's alone."""
    with tied.directory("obs-databases-") as directory:
        yield directory


@pytest.fixture(scope="session")
def postgres_port(place: Path) -> Iterator[int]:
    """The port of a PostgreSQL with the user and database `obs` and no password."""
    program = _reachable(databases.install(["postgres"])["postgres"].path.parent, place)
    home, port = place / "postgres", free()
    home.mkdir()
    if os.getuid() == 0:
        os.chown(home, _NOBODY, _NOBODY)
    data, options = home / "data", _as_ordinary_user()
    made = subprocess.run(
        [program / "initdb", "-D", data, "-A", "trust", "-U", "obs", "--no-locale", "-E", "UTF8", "--no-sync"],
        capture_output=True, text=True, check=False, cwd=home, timeout=120, **options,
    )  # fmt: skip
    assert made.returncode == 0, made.stdout + made.stderr
    settings = {
        "listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off", "jit": "off",
        "timezone": "GMT", "log_timezone": "GMT", "max_connections": "40",
    }  # fmt: skip
    argv = [str(program / "postgres"), "-D", str(data), "-p", str(port)]
    for name, value in settings.items():
        argv += ["-c", f"{name}={value}"]
    log = place / "postgres.log"

    def ready() -> None:
        with psycopg.connect(f"postgresql://obs@127.0.0.1:{port}/postgres", autocommit=True) as connection:
            connection.execute("CREATE DATABASE obs")

    with running(argv, log, home, **options) as server:
        await_ready(ready, server, log)
        yield port


@pytest.fixture
def postgres(postgres_port: int) -> str:
    """The host, port and database of PostgreSQL, for the URL of any driver."""
    return f"obs@127.0.0.1:{postgres_port}/obs"


@pytest.fixture(scope="session")
def _redis() -> Path:
    return databases.install(["redis-server"])["redis-server"].path


@pytest.fixture(scope="session")
def redis_port(_redis: Path, place: Path) -> Iterator[int]:
    """The port of a Redis that keeps nothing."""
    port, home = free(), place / "redis"
    home.mkdir()
    argv = [
        str(_redis), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
    ]  # fmt: skip
    log = place / "redis.log"

    def ready() -> None:
        with redis.Redis(port=port) as client:
            client.ping()

    with running(argv, log, home) as server:
        await_ready(ready, server, log)
        yield port


@pytest.fixture
def redis_server(redis_port: int) -> int:
    """The port of an empty Redis."""
    with redis.Redis(port=redis_port) as client:
        client.flushall()
    return redis_port


@pytest.fixture(scope="session")
def _cluster(_redis: Path, place: Path) -> Iterator[Cluster]:
    with redis_groups.cluster(_redis, place / "cluster") as made:
        yield made


@pytest.fixture
def redis_cluster(_cluster: Cluster) -> Cluster:
    """An empty cluster of three."""
    _cluster.empty()
    return _cluster


@pytest.fixture(scope="session")
def redis_sentinel(_redis: Path, place: Path) -> Iterator[int]:
    """The port of a sentinel that watches a primary and its replica."""
    with redis_groups.watched(_redis, place / "watched") as port:
        yield port


@pytest.fixture
def short_lived_sentinel(_redis: Path, tmp_path: Path) -> Iterator[int]:
    """The same of one test's own, which may have it fail over: what follows that takes ten seconds."""
    with redis_groups.watched(_redis, tmp_path) as port:
        yield port


@pytest.fixture(autouse=True)
def _stopped(stopped: None) -> None:
    """Begin and end each test with obs stopped."""
