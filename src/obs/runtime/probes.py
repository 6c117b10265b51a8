"""Running a health check: once for everybody who asks, under a time limit, its result kept for a while.

A plain probe gets a thread of its own and no pool: one that is stuck must neither pile up nor keep
the process from ending. An asynchronous one runs on the application's event loop, where its
connections live, or on a loop of its own where there is none.
"""

from __future__ import annotations

import inspect
import os
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from obs.runtime import live

if TYPE_CHECKING:
    import asyncio

Verdict: TypeAlias = Literal["healthy", "unhealthy"]
Probe: TypeAlias = Callable[[], object]
#: Seconds that a result is kept while `init()` has not said otherwise.
_TTL = 1.0


class Outcome(NamedTuple):
    """What one check found; `reason` is for the log, never for the page, which strangers may read."""

    verdict: Verdict
    reason: str = ""
    details: Mapping[str, object] = {}


@dataclass
class Run:
    """One run of a probe; those who ask while it is in progress or fresh share it."""

    started: float = field(default_factory=time.monotonic)
    finished: float = 0.0
    future: Future[Outcome] = field(default_factory=Future)
    #: The loop that an asynchronous probe runs on; once it is closed, nobody will finish the run.
    loop: asyncio.AbstractEventLoop | None = None

    def __post_init__(self) -> None:
        # From here on it cannot be cancelled by the first asker who loses patience.
        self.future.set_running_or_notify_cancel()

    def settle(self, outcome: Outcome) -> None:
        """End the run, unless it has ended."""
        self.finished = time.monotonic()
        if not self.future.done():
            self.future.set_result(outcome)


@dataclass
class Check:
    """A declared check, its latest run and the verdict that was told last."""

    name: str
    probe: Probe
    critical: bool
    timeout: float
    #: Seconds that a result is kept; None: setting `health_ttl`.
    ttl: float | None = None
    last: Verdict = "healthy"
    run: Run | None = None


# Re-entrant, because a signal handler may ask while this very thread does.
_lock = threading.RLock()
#: The application's event loop, as soon as it has asked once.
_host: asyncio.AbstractEventLoop | None = None
#: Tasks that nobody else holds; without a reference the garbage collector may take them.
_tasks: set[Any] = set()


def share(check: Check) -> Run:
    """Return the run in progress, else a finished one that is fresh, else a new one."""
    with _lock:
        run = check.run
        if run is not None:
            lost = run.loop is not None and run.loop.is_closed()
            if not run.future.done() and not lost:
                return run
            if run.future.done() and time.monotonic() - run.finished < _ttl(check):
                return run
        run = Run()
        # Before anybody finds it: a signal handler that asks in between would wait for what only we start.
        _start(check, run)
        check.run = run
    return run


def wait(check: Check, run: Run) -> Outcome:
    """Return the outcome of a run of `check`, waiting for it: not for an event loop."""
    try:
        return run.future.result(_patience(check, run))
    except NotYet:
        return _too_late(check)


async def ask_on_loop(check: Check) -> Outcome:
    """Return the outcome of `check` on the running event loop, which is never blocked."""
    import asyncio

    global _host
    _host = asyncio.get_running_loop()
    run = share(check)
    if run.future.done():
        return run.future.result()
    answer = asyncio.wrap_future(run.future)
    # Not wait_for, which mixes up who cancelled whom.
    await asyncio.wait({answer}, timeout=_patience(check, run))
    return answer.result() if answer.done() else _too_late(check)


def _ttl(check: Check) -> float:
    if check.ttl is not None:
        return check.ttl
    settings = live.settings()
    return settings.health_ttl if settings is not None else _TTL


def _patience(check: Check, run: Run) -> float:
    return max(0.0, run.started + check.timeout - time.monotonic())


def _too_late(check: Check) -> Outcome:
    return Outcome("unhealthy", f"no answer within {check.timeout:g} s")


def _start(check: Check, run: Run) -> None:
    host = _host
    if inspect.iscoroutinefunction(check.probe) and host is not None and host.is_running():
        run.loop = host
        host.call_soon_threadsafe(_spawn, check, run)
        return
    thread = threading.Thread(
        target=_in_thread, args=(check, run), name=f"obs-check-{check.name}", daemon=True
    )
    try:
        thread.start()
    except RuntimeError as error:
        # No more threads, or the interpreter is going down.
        run.settle(Outcome("unhealthy", f"{type(error).__name__}: {error}"))


def _spawn(check: Check, run: Run) -> None:
    import asyncio

    task = asyncio.ensure_future(_limited(check, run))
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)


async def _limited(check: Check, run: Run) -> None:
    """Run an asynchronous probe on this loop; one that will not be cancelled stays the current run."""
    import asyncio

    task = asyncio.ensure_future(_without_exit(_answer(check.probe)))
    task.add_done_callback(lambda done: run.settle(_judge_task(check, run, done)))
    try:
        await asyncio.wait({task}, timeout=check.timeout)
    finally:
        task.cancel()


async def _answer(probe: Probe) -> object:
    result = probe()
    return await result if inspect.isawaitable(result) else result


async def _without_exit(work: Awaitable[object]) -> object:
    try:
        return await work
    except SystemExit as error:
        # Raised in a task it would stop the host's event loop.
        raise RuntimeError("the check called sys.exit()") from error


def _judge_task(check: Check, run: Run, task: asyncio.Future[object]) -> Outcome:
    if task.cancelled():
        late = time.monotonic() - run.started >= check.timeout
        return _too_late(check) if late else Outcome("unhealthy", "it was cancelled")
    error = task.exception()
    return _judge(check, run, None if error is not None else task.result(), error)


def _in_thread(check: Check, run: Run) -> None:
    result: object = None
    failure: BaseException | None = None
    try:
        result = check.probe()
        if inspect.isawaitable(result):
            # A coroutine function without a loop to run on, a lambda around one, an asynchronous `__call__`.
            result = _await_elsewhere(result, check.timeout)
    except BaseException as error:
        # SystemExit as well: whoever waits must hear of it.
        failure = error
    run.settle(_judge(check, run, result, failure))


def _await_elsewhere(result: Awaitable[object], timeout: float) -> object:
    import asyncio

    host = _host
    if host is not None and host.is_running():
        limited = asyncio.wait_for(_without_exit(result), timeout)
        return asyncio.run_coroutine_threadsafe(limited, host).result(timeout + 1.0)
    return asyncio.run(asyncio.wait_for(_without_exit(result), timeout))


def _judge(check: Check, run: Run, result: object, error: BaseException | None) -> Outcome:
    if time.monotonic() - run.started > check.timeout:
        # Kept as it was for those who waited: a late answer is none.
        return _too_late(check)
    if error is not None:
        return Outcome("unhealthy", f"{type(error).__name__}: {error}")
    if result is False:
        return Outcome("unhealthy", "it returned False")
    return Outcome("healthy", "", result if isinstance(result, Mapping) else {})


def _renew_in_child() -> None:
    """Forget, in a forked child, the parent's event loop; `health` forgets the runs in progress."""
    global _lock, _host
    _lock = threading.RLock()
    _host = None
    _tasks.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_in_child)
