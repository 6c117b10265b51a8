"""One supervised child process: started in a session of its own, probed until ready, stopped for good.

A running child is known by its number *and* the time it started, so that a later process with the same
number is never taken for it, let alone stopped.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from obs.errors import StackError
from obs.stack import interrupts, tether
from obs.stack.identity import is_alive, started_at
from obs.stack.logfile import tail
from obs.stack.ports import Endpoint, answers
from obs.stack.progress import Report, Step
from obs.stack.whole import write_whole

_POLL = 0.05
#: Seconds: more than the kernel needs to end a process, unless it hangs in a device.
_KILLED_WITHIN = 10.0


@dataclass(frozen=True)
class Program:
    """What to start: its command, its log, how to tell that it is ready, and where to write that it runs.

    `ready_within` and `stop_within` are seconds. `details` is kept in the pid file for whoever reads it.
    `login` is a name and the file of a password, where readiness is told only to who gives both.
    """

    name: str
    argv: tuple[str, ...]
    log: Path
    endpoint: Endpoint | None = None
    pid_file: Path | None = None
    environment: Mapping[str, str] | None = None
    directory: Path | None = None
    ready_within: float = 30.0
    stop_within: float = 10.0
    details: Mapping[str, str] = field(default_factory=dict)
    login: tuple[str, Path] | None = None

    def is_ready(self) -> bool:
        """Tell whether it answers that it is ready; a program without an endpoint always is."""
        if self.endpoint is None:
            return True
        return answers(self.endpoint.port, self.endpoint.ready_path, login=self.login)


@dataclass(frozen=True)
class Running:
    """A child that was started; `started` tells it from a later process with the same number."""

    name: str
    pid: int
    started: str
    argv: tuple[str, ...]
    log: Path
    pid_file: Path | None = None
    stop_within: float = 10.0
    details: Mapping[str, str] = field(default_factory=dict)

    def is_alive(self) -> bool:
        """Tell whether this very process still runs."""
        return is_alive(self.pid, self.started)


#: Children of this program. They are reaped only when they are stopped: until then their numbers, and
#: those of their groups, cannot be given to anyone else.
_children: dict[tuple[int, str], subprocess.Popen[bytes]] = {}


def start(program: Program, *, tied: bool = True, report: Report | None = None) -> Running:
    """Start `program` and wait until it is ready.

    Args:
        program: what to start. Its group of processes is its own: Ctrl-C in the terminal does not reach it.
        tied: end it when this program ends, however that happens. A child that is not tied lives on.
        report: is called with the progress.

    Raises:
        StackError: it does not start, ends early or is not ready in time; the last lines of its log are
            quoted, and nothing of it is left running.
    """
    return start_all([program], tied=tied, report=report)[0]


def start_all(
    programs: Sequence[Program],
    *,
    beside: Sequence[tuple[Program, Running]] = (),
    tied: bool = True,
    report: Report | None = None,
) -> list[Running]:
    """Start `programs` in this order and wait until all of them are ready, side by side; else as `start`.

    Those `beside` run already and are waited for as well: whoever started them may not have lived to do it.

    Raises:
        StackError: as `start`, for the first that fails; nothing of the others is left running either.
    """
    bury()
    waiting = [(program, one, Step(f"waiting for {program.name}", report)) for program, one in beside]
    started: list[Running] = []
    try:
        for program in programs:
            step = Step(f"starting {program.name}", report)
            with interrupts.held():
                started.append(_spawn(program, tied=tied))
            waiting.append((program, started[-1], step))
        while waiting:
            waiting = [one for one in waiting if not _became_ready(*one)]
            if waiting:
                program, _, step = waiting[0]
                step.tell(within=program.ready_within)
                time.sleep(_POLL)
    except BaseException:
        # Ctrl-C included: whoever is not told about the children cannot stop them. A second one waits for the end
        # of this.
        with interrupts.held():
            for running in reversed(started):
                stop(running, report=report)
        raise
    return started


def find(pid_file: Path) -> Running | None:
    """Return the child that `pid_file` tells of if it still runs, else None.

    Raises:
        StackError: this user may not read it.
    """
    running = remembered(pid_file)
    return running if running is not None and running.pid > 1 and running.is_alive() else None


def remembered(pid_file: Path) -> Running | None:
    """Return the child that `pid_file` tells of, be it alive or not; `stop` leaves no such file.

    Raises:
        StackError: this user may not read it.
    """
    try:
        kept = json.loads(pid_file.read_text(encoding="utf-8"))
        return Running(
            name=str(kept["name"]),
            pid=int(kept["pid"]),
            started=str(kept["started"]),
            argv=tuple(map(str, kept["argv"])),
            log=Path(kept["log"]),
            pid_file=pid_file,
            stop_within=float(kept["stop_within"]),
            details={str(key): str(value) for key, value in kept["details"].items()},
        )
    except PermissionError:
        raise StackError("cannot be read: it belongs to another user", where=str(pid_file)) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        # No file, or one that was cut off by a full disk: nothing that could be stopped by it.
        return None


def stop(running: Running, *, report: Report | None = None) -> None:
    """Stop the child and its group: SIGTERM, then SIGKILL after its `stop_within`; once stopped, do nothing.

    Raises:
        StackError: it belongs to another user, or not even SIGKILL ended it.
    """
    step, killed = Step(f"stopping {running.name}", report), ""
    if (running.pid, running.started) in _children or running.is_alive():
        _signal(running, signal.SIGTERM)
        if not _await_end(running, running.stop_within, step):
            killed = f"killed, for it did not end by itself within {running.stop_within:g} s"
            _signal(running, signal.SIGKILL)
            if not _await_end(running, _KILLED_WITHIN, Step(f"killing {running.name}", report)):
                raise StackError(f"{running.name} (process {running.pid}) does not end, not even by SIGKILL")
    _bury(running.pid, running.started)
    if running.pid_file is not None:
        # What stays behind on a failing disk tells of no process any more.
        with contextlib.suppress(OSError):
            running.pid_file.unlink()
    step.tell(killed, finished=True)


def bury() -> None:
    """Reap every child of this program that has ended by itself, and end what it has left behind."""
    for pid, started in list(_children):
        if not is_alive(pid, started):
            _bury(pid, started)


def _bury(pid: int, started: str) -> None:
    child = _children.pop((pid, started), None)
    if child is not None:
        # What is left of its group, while the number is still taken by our unreaped child.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
        child.wait()
        tether.untie(pid)


def _spawn(program: Program, *, tied: bool) -> Running:
    try:
        program.log.parent.mkdir(parents=True, exist_ok=True)
        if program.log.exists():
            program.log.replace(program.log.with_name(program.log.name + ".1"))
        # Appended to, so that whoever bounds it may empty it while the child writes.
        with program.log.open("ab") as log:
            if tied:
                tether.prepare()
            child = subprocess.Popen(
                program.argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=dict(program.environment) if program.environment is not None else None,
                cwd=program.directory,
                start_new_session=True,
            )
    except OSError as error:
        tether.untie(0)
        raise StackError(
            f"{program.name} does not start: {error.strerror}", where=str(error.filename or program.argv[0])
        ) from None
    # A child that has ended already has no start time any more; the text then matches no process.
    started = started_at(child.pid) or "ended at once"
    _children[child.pid, started] = child
    running = Running(
        name=program.name,
        pid=child.pid,
        started=started,
        argv=program.argv,
        log=program.log,
        pid_file=program.pid_file,
        stop_within=program.stop_within,
        details=program.details,
    )
    try:
        if tied:
            tether.tie(running.pid, running.started)
        if program.pid_file is not None:
            _write_pid_file(program.pid_file, running)
    except OSError as error:
        # Nobody would find it again.
        stop(running)
        raise StackError(
            f"{program.name} does not start: {error.strerror}", where=str(error.filename or program.argv[0])
        ) from None
    return running


def _write_pid_file(path: Path, running: Running) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = {
        "name": running.name,
        "pid": running.pid,
        "started": running.started,
        "argv": list(running.argv),
        "log": str(running.log),
        "stop_within": running.stop_within,
        "details": dict(running.details),
    }
    write_whole(path, json.dumps(kept, indent=2) + "\n")


def _became_ready(program: Program, running: Running, step: Step) -> bool:
    ready = program.is_ready()
    # Asked after the answer, which may have come from somebody else who took the port first.
    if not running.is_alive():
        raise StackError(
            f"{program.name} ended{_exit_code(running)} before it was ready; the last lines of its log:\n"
            f"{tail(program.log, 10, indent='    ')}",
            where=str(program.log),
        )
    if not ready and step.seconds > program.ready_within:
        raise StackError(
            f"{program.name} was not ready within {program.ready_within:g} s; the last lines of its log:\n"
            f"{tail(program.log, 10, indent='    ')}",
            where=str(program.log),
        )
    if ready:
        step.tell(finished=True)
    return ready


def _exit_code(running: Running) -> str:
    # Looked at without reaping, see `_children`.
    with contextlib.suppress(ChildProcessError):
        ended = os.waitid(os.P_PID, running.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if ended is not None:
            how = "by signal" if ended.si_code != os.CLD_EXITED else "with"
            return f" {how} {ended.si_status}"
    return ""


def _await_end(running: Running, within: float, step: Step) -> bool:
    deadline = time.monotonic() + within
    while running.is_alive():
        if time.monotonic() > deadline:
            return False
        step.tell(within=within)
        time.sleep(_POLL)
    return True


def _signal(running: Running, number: signal.Signals) -> None:
    try:
        os.killpg(running.pid, number)
    except ProcessLookupError:
        return
    except PermissionError:
        if running.is_alive():
            raise StackError(
                f"{running.name} (process {running.pid}) belongs to another user and cannot be stopped"
            ) from None
