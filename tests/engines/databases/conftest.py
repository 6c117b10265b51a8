"""A real PostgreSQL and a real Redis on loopback, from Debian's packages, of this test run alone."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis

from obs.stack import databases
from obs.stack.ports import free

#: PostgreSQL refuses to run as root; this user exists everywhere and owns nothing.
_NOBODY = 65534
_READY_WITHIN = 60.0


def _as_ordinary_user() -> dict[str, Any]:
    return {"user": _NOBODY, "group": _NOBODY, "extra_groups": []} if os.getuid() == 0 else {}


def _reachable(entry: Path, place: Path) -> Path:
    """Return `entry`, or a copy that an ordinary user may read where ours lies below root's home."""
    if os.getuid() != 0:
        return entry
    copy = place / "program"
    shutil.copytree(entry, copy, symlinks=True)
    return copy


@contextlib.contextmanager
def _running(argv: list[str], log: Path, cwd: Path, **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output, subprocess.Popen(
        argv, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, cwd=cwd, **options
    ) as server:  # fmt: skip
        try:
            yield server
        finally:
            # For PostgreSQL: end without waiting for sessions.
            server.send_signal(signal.SIGINT)
            try:
                server.wait(30)
            except subprocess.TimeoutExpired:
                server.kill()


def _await(ready: Any, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _READY_WITHIN
    while not _works(ready):
        assert server.poll() is None, log.read_text(errors="replace")
        assert time.monotonic() < deadline, log.read_text(errors="replace")
        time.sleep(0.05)


def _works(ready: Any) -> bool:
    try:
        ready()
    except (psycopg.OperationalError, redis.ConnectionError):
        return False
    return True


@pytest.fixture(scope="session")
def place() -> Iterator[Path]:
    """A directory that an ordinary user may enter; pytest's own are root's alone."""
    directory = Path(tempfile.mkdtemp(prefix="obs-databases-"))
    directory.chmod(0o755)
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


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

    with _running(argv, log, home, **options) as server:
        _await(ready, server, log)
        yield port


@pytest.fixture
def postgres(postgres_port: int) -> str:
    """The host, port and database of PostgreSQL, for the URL of any driver."""
    return f"obs@127.0.0.1:{postgres_port}/obs"


@pytest.fixture(scope="session")
def redis_port(place: Path) -> Iterator[int]:
    """The port of a Redis that keeps nothing."""
    program, port, home = databases.install(["redis-server"])["redis-server"].path, free(), place / "redis"
    home.mkdir()
    argv = [
        str(program), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
    ]  # fmt: skip
    log = place / "redis.log"

    def ready() -> None:
        with redis.Redis(port=port) as client:
            client.ping()

    with _running(argv, log, home) as server:
        _await(ready, server, log)
        yield port


@pytest.fixture
def redis_server(redis_port: int) -> int:
    """The port of an empty Redis."""
    with redis.Redis(port=redis_port) as client:
        client.flushall()
    return redis_port


@pytest.fixture(autouse=True)
def _stopped(stopped: None) -> None:
    """Begin and end each test with obs stopped."""
