"""The native runtime: the real engines as plain processes on loopback, no container and no root.

State lives in one directory: `<server>/` holds configuration and data, `log/` the logs, `run/` the pid
files of what runs.
"""

from __future__ import annotations

import contextlib
import fcntl
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from obs.errors import ConfigError, StackError, suggest
from obs.stack import process
from obs.stack.launch import Launch, check, plan, write
from obs.stack.logfile import tail
from obs.stack.native_config import NativeConfig, Target
from obs.stack.ports import answers, require_free
from obs.stack.process import Running
from obs.stack.progress import Report
from obs.stack.servers import SERVERS, SMALL

__all__ = ["NativeConfig", "ServerStatus", "Target", "down", "logs", "status", "up"]


@dataclass(frozen=True)
class ServerStatus:
    """One server: `state` is ``ready``, ``starting`` (it runs and does not answer yet) or ``stopped``.

    `was_running` is set by `up` for a server that it found running.
    """

    name: str
    state: str
    pid: int | None = None
    url: str | None = None
    version: str | None = None
    route: str | None = None
    log: Path | None = None
    was_running: bool = False


def up(config: NativeConfig, *, tied: bool = False, report: Report | None = None) -> list[ServerStatus]:
    """Start what is not running yet and wait until every server is ready.

    Args:
        config: what to run.
        tied: end the servers when this program ends; otherwise they live on until `down`.
        report: is called with the progress.

    Raises:
        ConfigError: a file is missing, a port is impossible, or a configuration or rule is refused.
        StackError: an engine cannot be had or does not start, a port is taken, or what runs in this
            directory was started with another configuration. Whatever this call started is stopped again.
    """
    with _locked(config.directory):
        running = _running(config.directory)
        launches = plan(config, running, report)
        for launch in launches:
            if launch.name in running:
                _require_same(launch, running[launch.name])
        missing = [launch for launch in launches if launch.name not in running]
        for launch in missing:
            require_free(launch.endpoint)
        if missing:
            write(config, missing)
            for launch in missing:
                check(launch, report)
        _start(config, missing, tied=tied, report=report)
    return [replace(server, was_running=server.name in running) for server in status(config.directory)]


def down(directory: Path, *, purge: bool = False, report: Report | None = None) -> list[str]:
    """Stop every server of this directory and return the names of those that ran; twice is harmless.

    With `purge`, data, configuration and logs are removed as well.

    Raises:
        StackError: a server does not end.
    """
    if not directory.is_dir():
        return []
    stopped = []
    with _locked(directory):
        running = _running(directory)
        # Prometheus first: it drains its notifications into Alertmanager.
        for server in running.values():
            process.stop(server, report=report)
            stopped.append(server.name)
        process.bury()
        shutil.rmtree(directory / "run", ignore_errors=True)
        if purge:
            for part in (*SMALL, "log"):
                shutil.rmtree(directory / part, ignore_errors=True)
    if purge:
        (directory / ".lock").unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            # Only if nothing of somebody else's is in it.
            directory.rmdir()
    return stopped


def status(directory: Path) -> list[ServerStatus]:
    """Return how each server of this directory is doing; readiness is asked of the server itself."""
    running = _running(directory)
    return [_status(name, running.get(name)) for name in SMALL]


def logs(directory: Path, name: str, lines: int = 50) -> str:
    """Return the last `lines` lines of a server's log.

    Raises:
        ConfigError: no server has this name.
        StackError: it has never been started in this directory.
    """
    if name not in SMALL:
        raise ConfigError(
            f"no server of the stack is called {name!r}: it has {', '.join(SMALL)}",
            hint=suggest(name, SMALL),
        )
    path = log_path(directory, name)
    if not path.is_file():
        raise StackError(f"{name} has no log: it was never started here", where=str(directory))
    return tail(path, lines)


def log_path(directory: Path, name: str) -> Path:
    """Return where the log of a server is."""
    return directory / "log" / f"{name}.log"


def _status(name: str, running: Running | None) -> ServerStatus:
    if running is None:
        return ServerStatus(name, "stopped")
    url = running.details.get("url", "")
    port = url.rpartition(":")[2]
    ready = port.isdigit() and answers(int(port), SERVERS[name].ready[1])
    return ServerStatus(
        name,
        "ready" if ready else "starting",
        running.pid,
        url,
        running.details.get("version"),
        running.details.get("route"),
        running.log,
    )


def _running(directory: Path) -> dict[str, Running]:
    found = {name: process.find(directory / "run" / f"{name}.json") for name in SMALL}
    return {name: running for name, running in found.items() if running is not None}


def _require_same(launch: Launch, running: Running) -> None:
    # The program itself may differ: a newer engine in the cache is no reason to refuse a second `up`.
    if running.argv[1:] != launch.arguments or not launch.is_written():
        raise StackError(
            f"{launch.name} already runs here (process {running.pid}) with another configuration",
            where=str(launch.directory),
            hint="stop it first (obs stack down), or start a second stack in another --dir",
        )


def _start(config: NativeConfig, launches: list[Launch], *, tied: bool, report: Report | None) -> None:
    started: list[Running] = []
    try:
        for launch in launches:
            program = launch.program(
                log_path(config.directory, launch.name), config.directory / "run" / f"{launch.name}.json"
            )
            started.append(process.start(program, tied=tied, report=report))
    except BaseException:
        for server in started:
            process.stop(server)
        raise


@contextlib.contextmanager
def _locked(directory: Path) -> Iterator[None]:
    try:
        directory.mkdir(parents=True, exist_ok=True)
        lock = (directory / ".lock").open("w")
    except OSError as error:
        raise StackError(
            f"cannot write the state directory: {error.strerror}",
            where=str(directory),
            hint="choose another with --dir",
        ) from None
    with lock:
        try:
            fcntl.flock(lock.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StackError(
                "another `obs stack` is starting or stopping the servers of this directory",
                where=str(directory),
            ) from None
        yield
