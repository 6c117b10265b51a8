"""The ends of a process at which what waits is delivered: each of them, and nothing else of the host's.

Not covered, because nothing can be: a bare `os._exit`, and SIGKILL.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

from obs.runtime import draining, guard

#: What a shell reports for a process that SIGTERM has ended.
_TERMINATED = 128 + signal.SIGTERM
#: Seconds beyond the deadline of a flush after which a stuck one is left behind.
_GRACE = 0.1

_flush: Callable[[], object] | None = None
_timeout = 3.0
_registered = False
#: The process that has a finalizer of multiprocessing's.
_finalized = 0


def watch(
    flush: Callable[[], object], shutdown: Callable[[], object], timeout: float, *, sigterm: bool
) -> str:
    """Deliver by `flush` at every end of this process, within `timeout` seconds.

    Return why SIGTERM is not among them, empty when it is.
    """
    global _flush, _timeout, _registered
    _flush, _timeout = flush, timeout
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
        util.Finalize(None, _deliver, exitpriority=0)
        # A forked child clears its finalizers before it runs these.
        util.register_after_fork(_HOOK, _in_forked_child)


class _Hook:
    """What multiprocessing keeps our hook by: it holds a weak reference."""


_HOOK = _Hook()


def _in_forked_child(_: _Hook) -> None:
    util = sys.modules["multiprocessing.util"]
    global _finalized
    _finalized = os.getpid()
    util.Finalize(None, _deliver, exitpriority=0)


def _deliver() -> None:
    flush = _flush
    if flush is not None:
        with guard.contained("setup"):
            flush()


def _watch_sigterm() -> str:
    found = signal.getsignal(signal.SIGTERM)
    if found is _terminate:
        return ""
    if found is not signal.SIG_DFL:
        _watch_uvicorn(found)
        return "SIGTERM has a handler already, which is left alone"
    if threading.current_thread() is not threading.main_thread():
        return "init() did not run in the main thread, where alone a handler can be set"
    signal.signal(signal.SIGTERM, _terminate)
    return ""


def _terminate(number: int, _: FrameType | None) -> None:
    """Turn readiness off and deliver, then die by the signal as if nobody had caught it."""
    draining.begin()
    # In a thread of its own: this one may have been interrupted while it held a lock that a flush needs.
    thread = threading.Thread(target=_deliver, name="obs-sigterm", daemon=True)
    try:
        thread.start()
        thread.join(_timeout + _GRACE)
    except RuntimeError:
        # The interpreter is going down, and delivers on its way.
        pass
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    # The kernel lets the first process of a container ignore a signal without a handler.
    os._exit(_TERMINATED)


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
