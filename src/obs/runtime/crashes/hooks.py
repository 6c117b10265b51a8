"""The places where Python itself learns of an exception that nobody handled.

Hooks of the host are kept and called after ours. Python's own, which write a plain traceback to
standard error, are left out where our line has the same stack.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any

from obs.runtime import guard, live, logger
from obs.runtime.crashes import child
from obs.runtime.crashes.report import unhandled
from obs.runtime.redaction import NAME_LIMIT, plain_text

if TYPE_CHECKING:
    from threading import ExceptHookArgs

    from obs.runtime.crashes.report import Mechanism

#: What ends a process or a task on purpose is no crash.
_ON_PURPOSE = (KeyboardInterrupt, SystemExit, GeneratorExit)
_ASYNCIO = "asyncio"


class Hooks:
    """The hooks of one run of obs; `stop` puts back what was there."""

    def __init__(self) -> None:
        self._active = True
        self._main, sys.excepthook = sys.excepthook, self._in_main
        self._thread, threading.excepthook = threading.excepthook, self._in_thread
        self._unraisable, sys.unraisablehook = sys.unraisablehook, self._in_unraisable
        # Loops report through this logger what no handler of the host's took, uvloop's too, and
        # listening to it needs neither asyncio nor a loop.
        self._filter: Callable[[logging.LogRecord], bool] = self._in_loop
        logging.getLogger(_ASYNCIO).addFilter(self._filter)
        child.report_to(self._in_child)

    def stop(self) -> None:
        """Put the former hooks back; where somebody has hooked in since, only stop reporting."""
        self._active = False
        if sys.excepthook == self._in_main:
            sys.excepthook = self._main
        if threading.excepthook == self._in_thread:
            threading.excepthook = self._thread
        if sys.unraisablehook == self._in_unraisable:
            sys.unraisablehook = self._unraisable
        logging.getLogger(_ASYNCIO).removeFilter(self._filter)
        child.report_to(None)

    def _in_main(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        told = self._report(error, "main", "unhandled exception")
        if not (told and self._main is sys.__excepthook__):
            self._main(kind, error, trace)

    def _in_child(self, error: BaseException, name: str) -> None:
        # multiprocessing writes its traceback all the same.
        self._report(error, "main", "unhandled exception in a child process", process=name)

    def _in_thread(self, args: ExceptHookArgs) -> None:
        told = False
        if args.exc_value is not None:
            name = args.thread.name if args.thread is not None else ""
            told = self._report(args.exc_value, "thread", "unhandled exception in a thread", thread=name)
        if not (told and self._thread is threading.__excepthook__):
            self._thread(args)

    def _in_unraisable(self, args: Any) -> None:
        told = False
        if args.exc_value is not None:
            # Only its text: keeping the object would bring it back to life.
            where = plain_text(_described(args.object), NAME_LIMIT)
            told = self._report(
                args.exc_value, "unraisable", args.err_msg or "exception ignored", object=where
            )
        if not (told and self._unraisable is sys.__unraisablehook__):
            self._unraisable(args)

    def _in_loop(self, record: logging.LogRecord) -> bool:
        with guard.contained("crashes"):
            error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
            if error is not None and record.levelno >= logging.ERROR:
                message, _, rest = record.getMessage().partition("\n")
                self._report(error, "asyncio", message, detail=rest)
        # The record goes on to the host's own handlers; ours knows that it has its line.
        return True

    def _report(self, error: BaseException, mechanism: Mechanism, message: str, **fields: Any) -> bool:
        """Report unless it was on purpose; return whether the stack was written."""
        if not self._active or isinstance(error, _ON_PURPOSE):
            return False
        given = {name: value for name, value in fields.items() if value}
        unhandled(error, mechanism, message, event=f"exception.{mechanism}", **given)
        return _shown()


def _shown() -> bool:
    """Tell whether our line stands where a person looks for the stack."""
    pipeline, settings = logger.pipeline(), live.settings()
    return (
        pipeline is not None
        and pipeline.enabled("error")
        and settings is not None
        and settings.otlp_logs != "on"
    )


def _described(value: object) -> str:
    if value is None:
        return ""
    try:
        return repr(value)
    except Exception:
        return type(value).__qualname__
