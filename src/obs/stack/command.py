"""Run one program to its end: its time bounded, its progress told, nothing of it left after Ctrl-C."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from obs.errors import StackError
from obs.stack import interrupts, tether
from obs.stack.identity import started_at
from obs.stack.progress import Step

_TICK = 0.5

#: Seconds; longer only where nobody reaps orphans.
_GONE_WITHIN = 5.0


def run(
    argv: Sequence[str],
    *,
    step: Step,
    within: float,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
    detail: Callable[[str], str] = lambda line: "",  # noqa: ARG005 - by default lines are not shown
) -> str:
    """Run `argv` and return what it printed (both streams).

    `within` is the time limit in seconds; `detail` turns a printed line into what is shown of it.

    Raises:
        StackError: it does not start, ends with a failure (the last lines are quoted), or takes longer.
    """
    child: subprocess.Popen[str] | None = None
    reader: threading.Thread | None = None
    arrived: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    try:
        with interrupts.held():
            tether.prepare()
            child = _start(argv, cwd, environment)
            reader = threading.Thread(target=_read, args=(child, arrived), daemon=True)
            reader.start()
            # A build would go on for minutes after a SIGKILL of this program; without a watchdog it does.
            with contextlib.suppress(OSError):
                tether.tie(child.pid, started_at(child.pid) or "ended at once")
        lines = _follow(child, arrived, step, within, detail)
    finally:
        if child is not None and reader is not None:
            _end(child)
        tether.untie(child.pid if child is not None else 0)
        if reader is not None:
            reader.join()
    if child.returncode != 0:
        last = " | ".join(line for line in lines[-3:] if line)[-400:] or "it printed nothing"
        raise StackError(f"{Path(argv[0]).name} ended with {child.returncode}: {last}")
    return "\n".join(lines)


def _start(
    argv: Sequence[str], cwd: Path | None, environment: Mapping[str, str] | None
) -> subprocess.Popen[str]:
    try:
        return subprocess.Popen(
            argv,
            cwd=cwd,
            env=dict(environment) if environment is not None else None,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            # Compilers start children of their own: one group, so that all of them can be ended.
            start_new_session=True,
        )
    except OSError as error:
        raise StackError(f"{argv[0]} does not start: {error.strerror}") from None


def _read(child: subprocess.Popen[str], arrived: queue.SimpleQueue[str | None]) -> None:
    assert child.stdout is not None  # noqa: S101 - asked for above
    with child.stdout:
        for line in child.stdout:
            arrived.put(line.rstrip("\n"))
    arrived.put(None)


def _follow(
    child: subprocess.Popen[str],
    arrived: queue.SimpleQueue[str | None],
    step: Step,
    within: float,
    detail: Callable[[str], str],
) -> list[str]:
    name = Path(str(child.args[0])).name  # type: ignore[index]
    deadline = time.monotonic() + within
    lines: list[str] = []
    shown = ""
    told = 0.0
    while True:
        now = time.monotonic()
        if now > deadline:
            raise StackError(f"{name} did not end within {within:g} s")
        if now - told >= _TICK:
            step.tell(shown)
            told = now
        try:
            line = arrived.get(timeout=_TICK)
        except queue.Empty:
            continue
        if line is None:
            # It may close its output long before its end.
            try:
                child.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                raise StackError(f"{name} did not end within {within:g} s") from None
            return lines
        lines.append(line)
        shown = detail(line) or shown


def _end(child: subprocess.Popen[str]) -> None:
    if child.returncode is not None:
        return
    # Not reaped yet, so its number and its group's are still its own.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        # Its children write files until they are gone too, and the caller is about to remove those.
        deadline = time.monotonic() + _GONE_WITHIN
        while time.monotonic() < deadline:
            os.killpg(child.pid, 0)
            time.sleep(0.01)
