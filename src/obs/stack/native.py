"""The native runtime: the real engines as plain processes on loopback, no container and no root.

State lives in one directory: `<server>/` holds configuration and data, `log/` the logs, `secrets/` one
file a secret, `run/` the pid files of what runs, and `stack.json` tells what was asked for.
"""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path

from obs.errors import ConfigError, StackError, suggest
from obs.stack import process, rotation, state
from obs.stack.launches.launch import Launch
from obs.stack.launches.plan import Plan, plan, require_possible
from obs.stack.launches.prepare import check, write
from obs.stack.logfile import tail
from obs.stack.native_config import NativeConfig, Target
from obs.stack.ports import Endpoint, answers, require_free, spell
from obs.stack.process import Running
from obs.stack.progress import Report
from obs.stack.record import Record, read_record, write_record
from obs.stack.servers import SERVERS, START_ORDER
from obs.stack.state import is_state

__all__ = [
    "NativeConfig",
    "ServerStatus",
    "Target",
    "down",
    "is_state",
    "log_path",
    "logs",
    "status",
    "up",
]


@dataclass(frozen=True)
class ServerStatus:
    """One server and how it is doing.

    Attributes:
        name: the server.
        state: ``ready``, ``starting`` (it runs and does not answer yet), ``stopped``, or ``skipped`` (it was
            asked for and cannot run here).
        pid: its process.
        url: where people and senders reach it.
        version: of its program.
        route: how its program came here.
        log: its log.
        was_running: set by `up` for a server that it found running.
        reason: why it is skipped, that it died, or what else a person should know.
    """

    name: str
    state: str
    pid: int | None = None
    url: str | None = None
    version: str | None = None
    route: str | None = None
    log: Path | None = None
    was_running: bool = False
    reason: str | None = None


def up(config: NativeConfig, *, tied: bool = False, report: Report | None = None) -> list[ServerStatus]:
    """Start what is not running yet and wait until every server is ready.

    Args:
        config: what to run.
        tied: end the servers when this program ends; otherwise they live on until `down`.
        report: is called with the progress.

    Raises:
        ConfigError: a file is missing, a port is impossible, a configuration or rule is refused, or the
            directory is somebody else's.
        StackError: an engine cannot be had or does not start, a port is taken, or what runs in this
            directory was started with another configuration. Whatever this call started is stopped again.
    """
    require_possible(config)  # Said before anything is written.
    state.require_ours(config.directory)
    with state.locked(config.directory):
        running = _running(config.directory)
        planned = plan(config, running, report)
        for launch in planned.launches:
            if launch.name in running:
                _require_same(launch, running[launch.name])
        missing = [launch for launch in planned.launches if launch.name not in running]
        for launch in missing:
            for role, number in launch.ports.items():
                require_free(Endpoint(spell(launch.name, role), number))
        for launch in missing:
            write(launch)
        for launch in missing:
            check(launch, report)
        # Before the start: one that is interrupted is shown as what it was to be.
        write_record(config.directory, _record(planned))
        _start(config, planned.launches, running, tied=tied, report=report)
    return [replace(server, was_running=server.name in running) for server in status(config.directory)]


def down(directory: Path, *, purge: bool = False, report: Report | None = None) -> list[str]:
    """Stop every server of this directory and return the names of those that ran; twice is harmless.

    With `purge`, data, configuration, logs and our own secrets are removed as well; certificates stay, and
    so do secrets of the user's. Nothing is touched where no stack was ever started.

    Raises:
        StackError: a server does not end, or something cannot be removed.
    """
    if not state.is_state(directory):
        return []
    stopped = []
    with state.locked(directory):
        running = _running(directory)
        # Senders first: what they hold is drained into those that take it.
        for name in reversed(START_ORDER):
            if name in running:
                process.stop(running[name], report=report)
                stopped.append(name)
        rotation.stop(directory)
        process.bury()
        shutil.rmtree(directory / "run", ignore_errors=True)
        if purge:
            state.purge(directory)
    if purge:
        state.forget(directory)
    return stopped


def status(directory: Path) -> list[ServerStatus]:
    """Return how each server of this directory is doing; readiness is asked of the server itself."""
    running, record = _running(directory), read_record(directory)
    return [
        _status(name, running[name], record) if name in running else _absent(directory, name, record)
        for name in SERVERS
        if name in (*record.servers, *record.skipped, *running)
    ]


def logs(directory: Path, name: str, lines: int = 50) -> str:
    """Return the last `lines` lines of a server's log.

    Raises:
        ConfigError: no server has this name.
        StackError: it has never been started in this directory, or this user may not read its log.
    """
    if name not in SERVERS:
        raise ConfigError(
            f"no server of the stack is called {name!r}: it has {', '.join(SERVERS)}",
            hint=suggest(name, SERVERS),
        )
    path = log_path(directory, name)
    try:
        path.stat()
        return tail(path, lines)
    except (FileNotFoundError, NotADirectoryError):
        raise StackError(
            f"{name} has no log: it was never started here",
            where=str(directory),
            hint=f"obs stack status --dir {shlex.quote(str(directory))} tells why; name another directory with --dir",
        ) from None
    except OSError as error:
        raise StackError(f"cannot be read: {error.strerror}", where=str(path)) from None


def log_path(directory: Path, name: str) -> Path:
    """Return where the log of a server is."""
    return directory / "log" / f"{name}.log"


def _absent(directory: Path, name: str, record: Record) -> ServerStatus:
    if name in record.skipped:
        return ServerStatus(name, "skipped", reason=record.skipped[name])
    # Nobody has stopped it: that takes the file away.
    died = process.remembered(_pid_file(directory, name))
    # By its number the kernel's log tells whether it was killed for want of memory.
    return ServerStatus(name, "stopped", reason=f"died, it was process {died.pid}" if died else None)


def _status(name: str, running: Running, record: Record) -> ServerStatus:
    details = running.details
    port = details.get("ready_port", "")
    login = (details["user"], Path(details["password_file"])) if "user" in details else None
    ready = port.isdigit() and answers(int(port), SERVERS[name].ready[1], login=login)
    return ServerStatus(
        name,
        "ready" if ready else "starting",
        running.pid,
        details.get("url", ""),
        details.get("version"),
        details.get("route"),
        running.log,
        reason=record.notes.get(name),
    )


def _record(planned: Plan) -> Record:
    return Record(
        servers=tuple(launch.name for launch in planned.launches),
        skipped=dict(planned.skipped),
        notes={launch.name: launch.note for launch in planned.launches if launch.note},
    )


def _running(directory: Path) -> dict[str, Running]:
    found = {name: process.find(_pid_file(directory, name)) for name in SERVERS}
    return {name: running for name, running in found.items() if running is not None}


def _pid_file(directory: Path, name: str) -> Path:
    return directory / "run" / f"{name}.json"


def _require_same(launch: Launch, running: Running) -> None:
    # The program itself may differ: a newer engine in the cache is no reason to refuse a second `up`.
    difference = _difference(running.argv[1:], launch.argv[1:])
    if difference is None and (changed := launch.unwritten()) is not None:
        difference = f"{changed} would be another"
    if difference is not None:
        raise StackError(
            f"{launch.name} already runs here (process {running.pid}) with another configuration: {difference}",
            where=str(launch.directory),
            hint="give the options of its start again; or stop it first (obs stack down --dir"
            f" {shlex.quote(str(launch.directory.parent))}), or start a second stack in another --dir",
        )


def _difference(runs: Sequence[str], asked: Sequence[str]) -> str | None:
    for there, here in zip_longest(runs, asked, fillvalue="nothing"):
        if there != here:
            return f"it has {there}, asked for is {here}"
    return None


def _start(
    config: NativeConfig,
    launches: list[Launch],
    running: dict[str, Running],
    *,
    tied: bool,
    report: Report | None,
) -> None:
    directory = config.directory.absolute()
    try:
        (directory / "log" / "services").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StackError(
            f"cannot write the state directory: {error.strerror}", where=str(directory)
        ) from None
    programs = {
        launch.name: launch.program(log_path(directory, launch.name), _pid_file(directory, launch.name))
        for launch in launches
    }
    missing = [program for name, program in programs.items() if name not in running]
    # A small stack that ends with this program, as that of the demo does, writes no log worth it.
    if not (tied and config.is_small()):
        missing += rotation.programs(directory)
    beside = [(program, running[name]) for name, program in programs.items() if name in running]
    process.start_all(missing, beside=beside, tied=tied, report=report)
