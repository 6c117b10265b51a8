"""The ends of a process at which what waits is delivered: each of them, and nothing else of the host's.

Not covered, because nothing can be: a bare `os._exit`, and SIGKILL. Nor a child of multiprocessing that
its parent terminates: see `_watch_sigterm`.
"""

from __future__ import annotations

import _thread
import atexit
import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

from obs.runtime import draining, guard
from obs.runtime.crashes import child

#: What a shell reports for a process that SIGTERM has ended.
_TERMINATED = 128 + signal.SIGTERM
#: Seconds that a signal's handler waits for the delivery before it lets go of what it interrupted.
_WAIT = 0.2
#: Seconds between two signals to a main thread that has not noticed the one before.
_AGAIN = 0.05

_flush: Callable[[], object] | None = None
_shutdown: Callable[[], object] | None = None
_timeout = 3.0
_registered = False
#: Locked while what waits is delivered because of SIGTERM; None until that comes.
_over: _thread.LockType | None = None
#: Whether that has ended, or its time has.
_ended = False
#: The signals that a forking thread had blocked before.
_held = threading.local()
#: The process that has a finalizer of multiprocessing's.
_finalized = 0


def watch(
    flush: Callable[[], object], shutdown: Callable[[], object], timeout: float, *, sigterm: bool
) -> str:
    """Deliver at every end of this process, within `timeout` seconds.

    By `flush` where something of the host may still run afterwards, by `shutdown` where nothing does. Return why SIGTERM is not among them, empty when it is.
    """
    global _flush, _shutdown, _timeout, _registered
    _flush, _shutdown, _timeout = flush, shutdown, timeout
    if not _registered:
        _registered = True
        atexit.register(shutdown)
    watch_multiprocessing()
    if sigterm:
        return _watch_sigterm()
    release()
    return "setting flush_on_sigterm is false"


def release() -> None:
    """Give SIGTERM back, where it is still ours."""
    if (
        threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGTERM) is _terminate
    ):
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def watch_multiprocessing() -> None:
    """Deliver at the end of a child of multiprocessing: it leaves by `os._exit`, past atexit.

    Does nothing until multiprocessing is in use: importing it is not for a telemetry library to decide.
    """
    global _finalized
    util = sys.modules.get("multiprocessing.util")
    if util is not None and _finalized != os.getpid():
        _finalized = os.getpid()
        util.Finalize(None, _end_child, exitpriority=0)
        if _is_child():
            child.listen()
        # A forked child clears its finalizers before it runs these.
        util.register_after_fork(_HOOK, _in_forked_child)


class _Hook:
    """What multiprocessing keeps our hook by: it holds a weak reference."""


_HOOK = _Hook()


def _in_forked_child(_: _Hook) -> None:
    util = sys.modules["multiprocessing.util"]
    global _finalized
    _finalized = os.getpid()
    util.Finalize(None, _end_child, exitpriority=0)
    child.listen()
    release()


def _is_child() -> bool:
    """Tell whether multiprocessing has started this process."""
    process = sys.modules.get("multiprocessing.process")
    if process is None:
        return False
    # A child that is started afresh imports the main module before it is told who its parent is.
    return process.parent_process() is not None or hasattr(process.current_process(), "_inheriting")


def _end_child() -> None:
    # First, so that its line and its event are delivered, too.
    child.tell()
    _deliver()


def _deliver() -> None:
    if _flush is not None:
        with guard.contained("setup"):
            _flush()
    over = _over
    if over is not None and over.acquire(timeout=_timeout):
        # SIGTERM came meanwhile, and its delivery must not be cut short by an early end.
        over.release()


def _end(over: _thread.LockType) -> None:
    try:
        # While it takes its time, readiness still says that no more work should come.
        for step in (_flush, _shutdown):
            if step is not None:
                with guard.contained("setup"):
                    step()
    finally:
        over.release()


def _watch_sigterm() -> str:
    found = signal.getsignal(signal.SIGTERM)
    if found is not signal.SIG_DFL and found is not _terminate:
        _watch_uvicorn(found)
        return "SIGTERM has a handler already, which is left alone"
    if _is_child():
        # A pool ends its workers by SIGTERM while they wait for a lock in C. A handler in Python runs only
        # once that wait is over, which may be never: their parent would wait for ever too.
        release()
        return "a child of multiprocessing dies of it at once; those that end by themselves deliver"
    if threading.current_thread() is not threading.main_thread():
        return "init() did not run in the main thread, where alone a handler can be set"
    signal.signal(signal.SIGTERM, _terminate)
    return ""


def _terminate(number: int, _: FrameType | None) -> None:
    """Turn readiness off and deliver, then die by the signal as if nobody had caught it."""
    global _over
    draining.begin()
    if _over is None:
        _over = over = _thread.allocate_lock()
        over.acquire()
        with contextlib.suppress(RuntimeError):  # the interpreter is going down, and delivers on its way
            # Bare threads: those of threading take a lock to begin that this one may hold right now.
            _thread.start_new_thread(_end, (over,))
            if not over.acquire(timeout=min(_WAIT, _timeout)):
                # What was interrupted may hold a lock that the delivery needs, so it goes on meanwhile;
                # the signal is sent anew when the delivery is over, or the deadline is.
                _thread.start_new_thread(_insist, (number, over))
                return
    elif not _ended:
        # Told twice, as a process and as one of its group: what is under way is not cut short.
        return
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    # The kernel lets the first process of a container ignore a signal without a handler.
    os._exit(_TERMINATED)


def _insist(number: int, over: _thread.LockType) -> None:
    global _ended
    over.acquire(timeout=_timeout)
    _ended = True
    # Again and again: the main thread may be between its last look at signals and a wait in the system,
    # which one that came before it does not end.
    while signal.getsignal(number) is _terminate:
        os.kill(os.getpid(), number)
        time.sleep(_AGAIN)


def _watch_uvicorn(handler: Any) -> None:
    """Deliver before uvicorn ends itself by the signal that it caught.

    Under it an application is loaded while its handlers are installed; once it has shut down it raises
    the signal anew without them. Without a lifespan nothing of ours would run in between.
    """
    server = getattr(handler, "__self__", None)
    stop = getattr(server, "shutdown", None)
    if type(server).__module__.partition(".")[0] != "uvicorn" or stop is None or hasattr(stop, "obs_wrapped"):
        return

    async def shutdown(*arguments: Any, **keywords: Any) -> None:
        import asyncio

        draining.begin()
        try:
            await stop(*arguments, **keywords)
        finally:
            with guard.contained("setup"):
                await asyncio.get_running_loop().run_in_executor(None, _deliver)

    shutdown.obs_wrapped = True  # type: ignore[attr-defined]
    with guard.contained("setup"):
        server.shutdown = shutdown  # type: ignore[union-attr]


def hold() -> None:
    """Keep SIGTERM waiting while this thread forks, where its handler is ours.

    Python forgets in a new child what handlers in Python have not seen yet: a child that is terminated
    in the moment of its birth would live on.
    """
    if signal.getsignal(signal.SIGTERM) is _terminate:
        _held.mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})


def resume() -> None:
    """Let SIGTERM come again after a fork, in the parent."""
    mask, _held.mask = getattr(_held, "mask", None), None
    if mask is not None:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def renew() -> None:
    """Let SIGTERM come again after a fork, in the child, when everything else is ready for it."""
    global _over, _ended
    _over, _ended = None, False
    resume()
