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
from obs.stack.progress import Step

_TICK = 0.5


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
    try:
        child = subprocess.Popen(
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
    arrived: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    reader = threading.Thread(target=_read, args=(child, arrived), daemon=True)
    reader.start()
    try:
        lines = _follow(child, arrived, step, within, detail)
    finally:
        _end(child)
        reader.join()
    if child.returncode != 0:
        last = " | ".join(line for line in lines[-3:] if line)[-400:] or "it printed nothing"
        raise StackError(f"{Path(argv[0]).name} ended with {child.returncode}: {last}")
    return "\n".join(lines)


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
    deadline = time.monotonic() + within
    lines: list[str] = []
    shown = ""
    told = 0.0
    while True:
        now = time.monotonic()
        if now > deadline:
            raise StackError(f"{Path(str(child.args[0])).name} did not end within {within:g} s")  # type: ignore[index]
        if now - told >= _TICK:
            step.tell(shown)
            told = now
        try:
            line = arrived.get(timeout=_TICK)
        except queue.Empty:
            continue
        if line is None:
            child.wait()
            return lines
        lines.append(line)
        shown = detail(line) or shown


def _end(child: subprocess.Popen[str]) -> None:
    if child.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
